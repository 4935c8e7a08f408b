//! Installing what is missing, after asking, and stopping again what only that started.

use anyhow::{Result, bail};

use super::machine::Machine;
use super::services::Services;
use super::{Places, Tool};

/// Whether the question has been answered already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Ask, if there is somebody to ask.
    Ask,
    /// `--yes`.
    Given,
}

/// Sees to it that every one of `tools` is on this machine.
///
/// # Errors
/// When one is missing and is not installed: no consent, no right to, no apt, or apt failed. The sentence holds the
/// line to type.
pub fn provide(tools: &[Tool], consent: Consent, machine: &dyn Machine, places: &Places) -> Result<()> {
    let missing: Vec<Tool> = tools
        .iter()
        .copied()
        .filter(|tool| tool.find(places).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = list(&missing, Tool::name);
    if machine.system() == "macos" {
        bail!("missing: {names}. Type: {}", brew_lines(&missing));
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.apt()).collect();
    let Some(prefix) = rights(machine) else {
        bail!("missing: {names}. {}", advice(machine, &packages));
    };
    eprintln!("Missing: {names}.");
    agree(consent, machine, &packages)?;
    install(machine, prefix, &packages)?;
    let still: Vec<Tool> = missing
        .into_iter()
        .filter(|tool| tool.find(places).is_none())
        .collect();
    if !still.is_empty() {
        bail!(
            "apt has installed its packages, and still missing: {}",
            list(&still, Tool::name)
        );
    }
    Ok(())
}

fn list(tools: &[Tool], word: fn(Tool) -> &'static str) -> String {
    tools
        .iter()
        .map(|tool| word(*tool))
        .collect::<Vec<_>>()
        .join(", ")
}

fn brew_lines(missing: &[Tool]) -> String {
    missing
        .iter()
        .map(|tool| format!("brew install {}", tool.brew()))
        .collect::<Vec<_>>()
        .join(" && ")
}

/// What goes before a command that needs root's rights; `None` if we cannot get them, or there is no apt. Without a
/// terminal sudo must not ask for a password.
fn rights(machine: &dyn Machine) -> Option<&'static [&'static str]> {
    if !machine.has("apt-get") {
        return None;
    }
    if machine.is_root() {
        return Some(&[]);
    }
    if !machine.has("sudo") {
        return None;
    }
    if machine.has_terminal() {
        return Some(&["sudo"]);
    }
    let silently = machine.output(&["sudo", "-n", "echo", "yes"]);
    (silently.trim() == "yes").then_some(&["sudo", "-n"])
}

fn advice(machine: &dyn Machine, packages: &[&str]) -> String {
    let line = format!(
        "apt-get install --yes --no-install-recommends {}",
        packages.join(" ")
    );
    if machine.has("apt-get") {
        format!("Without root's rights they cannot be installed from here. Type as root: {line}")
    } else {
        format!("This machine has no apt-get; install them with its own package manager (Debian: {line})")
    }
}

fn agree(consent: Consent, machine: &dyn Machine, packages: &[&str]) -> Result<()> {
    let automatic = consent == Consent::Given || std::env::var_os("CI").is_some() || !machine.has_terminal();
    if automatic || machine.ask(&format!("Install {} with apt?", packages.join(", "))) {
        return Ok(());
    }
    bail!("nothing was installed");
}

fn install(machine: &dyn Machine, prefix: &[&str], packages: &[&str]) -> Result<()> {
    let before = Services::look(machine);
    let update = [prefix, &["apt-get", "update"]].concat();
    let install = [
        prefix,
        &["apt-get", "install", "--yes", "--no-install-recommends"],
        packages,
    ]
    .concat();
    eprintln!("{}", update.join(" "));
    machine.run(&update)?;
    eprintln!("{}", install.join(" "));
    let installed = machine.run(&install);
    // Also when apt failed half-way: what it has started by then must not stay either.
    for line in before.stop_lines(&Services::look(machine)) {
        let line: Vec<&str> = prefix
            .iter()
            .copied()
            .chain(line.iter().map(String::as_str))
            .collect();
        eprintln!("{} (the installation had started it)", line.join(" "));
        machine.run(&line)?;
    }
    installed
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::path::PathBuf;

    use super::*;

    /// A machine that remembers the commands; the first `apt-get install` puts the NATS server into `folder`.
    struct Fake {
        root: bool,
        programs: Vec<&'static str>,
        answer: Option<bool>,
        sudo_silent: bool,
        lines: RefCell<Vec<String>>,
        folder: tempfile::TempDir,
        installed: Cell<bool>,
    }

    impl Fake {
        fn new(root: bool, programs: &[&'static str]) -> Self {
            Self {
                root,
                programs: programs.to_vec(),
                answer: None,
                sudo_silent: false,
                lines: RefCell::default(),
                folder: tempfile::tempdir().unwrap(),
                installed: Cell::new(false),
            }
        }

        fn places(&self) -> Places {
            let path = vec![self.folder.path().to_path_buf()];
            Places {
                path,
                postgresql: PathBuf::from("/nowhere"),
                fonts: Vec::new(),
            }
        }

        fn provide(&self, consent: Consent) -> Result<()> {
            provide(&[Tool::NatsServer], consent, self, &self.places())
        }
    }

    impl Machine for Fake {
        fn is_root(&self) -> bool {
            self.root
        }
        fn system(&self) -> &'static str {
            "linux"
        }
        fn has(&self, program: &str) -> bool {
            self.programs.contains(&program)
        }
        fn has_terminal(&self) -> bool {
            self.answer.is_some()
        }
        fn ask(&self, question: &str) -> bool {
            self.lines.borrow_mut().push(question.to_owned());
            self.answer.unwrap_or(false)
        }
        fn run(&self, line: &[&str]) -> Result<()> {
            self.lines.borrow_mut().push(line.join(" "));
            if line.contains(&"install") {
                std::fs::write(self.folder.path().join("nats-server"), "")?;
                self.installed.set(true);
            }
            Ok(())
        }
        fn output(&self, line: &[&str]) -> String {
            match line {
                ["sudo", ..] if self.sudo_silent => "yes\n".to_owned(),
                ["pg_lsclusters", ..] if self.installed.get() => {
                    "14 main 5432 online postgres /d /l\n15 main 5433 online postgres /d /l\n".to_owned()
                }
                ["pg_lsclusters", ..] => "14 main 5432 online postgres /d /l\n".to_owned(),
                ["systemctl", ..] if self.installed.get() => "active\n".to_owned(),
                _ => String::new(),
            }
        }
    }

    #[test]
    fn without_roots_rights_the_line_to_type_is_printed() {
        let machine = Fake::new(false, &["apt-get"]);
        let mistake = machine.provide(Consent::Given).unwrap_err().to_string();
        assert_eq!(
            mistake,
            "missing: the NATS server. Without root's rights they cannot be installed from here. \
             Type as root: apt-get install --yes --no-install-recommends nats-server"
        );
        assert!(machine.lines.borrow().is_empty());
    }

    #[test]
    fn without_a_terminal_sudo_is_used_only_if_it_asks_for_no_password() {
        let mut machine = Fake::new(false, &["apt-get", "sudo"]);
        assert!(machine.provide(Consent::Ask).is_err());
        machine.sudo_silent = true;
        machine.provide(Consent::Ask).unwrap();
        assert_eq!(machine.lines.borrow()[0], "sudo -n apt-get update");
    }

    #[test]
    fn somebody_at_a_terminal_is_asked_and_a_no_installs_nothing() {
        let mut machine = Fake::new(true, &["apt-get"]);
        machine.answer = Some(false);
        let asked = machine.provide(Consent::Ask);
        // A continuous-integration machine is never asked, and may run this test.
        if std::env::var_os("CI").is_none() {
            assert_eq!(asked.unwrap_err().to_string(), "nothing was installed");
            assert_eq!(*machine.lines.borrow(), ["Install nats-server with apt?"]);
        }
    }

    #[test]
    fn what_the_installation_started_is_stopped_and_what_was_there_before_is_not() {
        let machine = Fake::new(true, &["apt-get", "pg_lsclusters", "systemctl"]);
        machine.provide(Consent::Given).unwrap();
        let expected = [
            "apt-get update",
            "apt-get install --yes --no-install-recommends nats-server",
            "pg_ctlcluster 15 main stop",
            "systemctl stop nats-server",
        ];
        assert_eq!(*machine.lines.borrow(), expected);
    }

    #[test]
    fn what_is_there_is_not_installed_again() {
        let machine = Fake::new(true, &["apt-get"]);
        machine.provide(Consent::Given).unwrap();
        machine.lines.borrow_mut().clear();
        machine.provide(Consent::Given).unwrap();
        assert!(machine.lines.borrow().is_empty());
    }
}
