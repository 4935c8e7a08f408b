# $1: the folder of a run, with the list of its processes (number, start time, name); $2: its servers' folder.
# Standard input ends when the run's process has ended, however that came about.
trap '' HUP INT TERM
while read -r _; do :; done
[ -d "$1" ] || [ -d "$2" ] || exit 0

# The start time of a process, or nothing for one that has ended; see proc_pid_stat(5).
started() { sed -n 's/.*) [^ZX] //p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 19; }

# The kernel has already told most of them to end; this is for those that it could not tell.
if [ -r "$1/processes" ]; then
    while read -r pid start _; do
        round=0
        while [ "$(started "$pid")" = "$start" ] && [ "$round" -lt 50 ]; do
            [ "$round" -lt 10 ] || kill -KILL "$pid"
            round=$((round + 1))
            sleep 0.1
        done
    done <"$1/processes"
fi
round=0
until rm -rf -- "$1" "$2" || [ "$round" -ge 20 ]; do
    round=$((round + 1))
    sleep 0.1
done
