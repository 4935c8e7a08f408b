#!/usr/bin/env bash
# As a newcomer on a machine with only Rust, a C compiler and apt: makes such a machine (a minimal Debian in a folder),
# clones this repository into it, and starts it with the README's command, first as root in a folder that nobody else may
# enter, then as a fresh unprivileged user with an empty environment. Each time a real Chromium on this machine walks
# through chapter 3 of the manual.
#
# Needs root, debootstrap, and about 15 minutes. Usage: tests/fresh-machine.sh [FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=${1:-/var/tmp/sekisho-fresh-machine}
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
toolchain=$(rustc --print sysroot)

say() { printf '\n== %s (%s)\n' "$1" "$(date +%H:%M:%S)"; }
inside() { chroot "$root" env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
# What runs inside, by its root folder: the processes of this machine stay out of it.
running_inside() {
    for process in /proc/[0-9]*; do
        [ "$(readlink "$process/root" 2>/dev/null)" != "$root" ] || echo "${process#/proc/} $(tr '\0' ' ' <"$process/cmdline")"
    done
}
press_ctrl_c() { running_inside | awk '/\/dev up/ { print $1 }' | xargs --no-run-if-empty kill -INT; }
clean() {
    press_ctrl_c
    for place in dev/pts dev proc opt/rust; do umount --lazy "$root/$place" 2>/dev/null || true; done
}
trap clean EXIT

say "a minimal Debian $suite in $root"
if [ ! -e "$root/made" ]; then
    command -v debootstrap >/dev/null || apt-get install --yes --quiet debootstrap
    debootstrap --variant=minbase --include=ca-certificates,git "$suite" "$root"
    cp /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
    [ -e /etc/apt/sources.list ] || rm --force "$root/etc/apt/sources.list"
    cp --recursive /etc/apt/sources.list.d/. "$root/etc/apt/sources.list.d/" 2>/dev/null || true
    cp --recursive /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
    cp --recursive /etc/ssl/certs/. "$root/etc/ssl/certs/"
    touch "$root/made"
fi
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
mkdir -p "$root/opt/rust"
mount --bind "$toolchain" "$root/opt/rust"
mount --types proc proc "$root/proc"
mount --rbind /dev "$root/dev"
inside apt-get update --quiet
inside DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends gcc libc6-dev

# Starts everything as a user in a folder, walks through it, and stops it.
try() {
    local name=$1 folder=$2
    shift 2
    say "$name: cargo dev up"
    rm -rf "${root:?}$folder"
    mkdir -p "$root$folder"
    git clone --quiet . "$root$folder/sekisho"
    [ "$name" = root ] || inside chown --recursive "$name:" "$folder"
    chmod 700 "$root$folder"
    local log="$root/$name.log" begun=$SECONDS
    inside "$@" sh -c "cd $folder/sekisho && PATH=/opt/rust/bin:\$PATH exec cargo dev up --yes" >"$log" 2>&1 &
    local running=$!
    until grep --quiet 'http://localhost:8080' "$log"; do
        kill -0 "$running" 2>/dev/null || { cat "$log"; echo "$name: cargo dev up ended"; exit 1; }
        sleep 1
    done
    echo "$name: up after $((SECONDS - begun)) s"
    cat "$log"
    say "$name: chapter 3 of the manual"
    SEKISHO_PORTAL=http://localhost:8080 SEKISHO_MAILBOX=http://localhost:8025 \
        cargo test --package sekisho-tests --test flows -- --exact --nocapture \
        chapter_3::the_manual_works_as_printed_with_script
    say "$name: Ctrl-C"
    press_ctrl_c
    wait "$running" || true
    local left
    left=$(running_inside)
    [ -z "$left" ] || { echo "$name: processes are left: $left"; exit 1; }
}

# Packages need root once; the unprivileged user then finds them.
try root /srv/private HOME=/srv/private
inside useradd --create-home newcomer 2>/dev/null || true
try newcomer /home/newcomer/work setpriv --reuid=newcomer --regid=newcomer --clear-groups env --ignore-environment \
    HOME=/home/newcomer PATH=/usr/bin:/bin
say "both newcomers got in"
