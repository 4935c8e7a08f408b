//! The system's own servers: Debian starts a database cluster and a NATS service the moment it installs them.

use super::machine::Machine;

/// Which of the system's own servers run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Services {
    /// PostgreSQL clusters that are up: version and name.
    clusters: Vec<(String, String)>,
    nats: bool,
}

impl Services {
    /// Looks at what runs now.
    pub(super) fn look(machine: &dyn Machine) -> Self {
        let clusters = machine.output(&["pg_lsclusters", "--no-header"]);
        Self {
            clusters: clusters.lines().filter_map(online).collect(),
            nats: nats_runs(machine),
        }
    }

    /// The commands that stop what runs `now` and did not run before.
    pub(super) fn stop_lines(&self, now: &Self) -> Vec<Vec<String>> {
        let new = now
            .clusters
            .iter()
            .filter(|cluster| !self.clusters.contains(cluster));
        let mut lines: Vec<Vec<String>> = new
            .map(|(version, name)| words(&["pg_ctlcluster", version, name, "stop"]))
            .collect();
        if now.nats && !self.nats {
            lines.push(words(&["systemctl", "stop", "nats-server"]));
        }
        lines
    }
}

fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|word| (*word).to_owned()).collect()
}

/// A line of pg_lsclusters: version, name, port, status, …
fn online(line: &str) -> Option<(String, String)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [version, name, _, status, ..] = fields.as_slice() else {
        return None;
    };
    status
        .starts_with("online")
        .then(|| ((*version).to_owned(), (*name).to_owned()))
}

/// Its package brings a unit for systemd only: without systemd it is not started.
fn nats_runs(machine: &dyn Machine) -> bool {
    machine.output(&["systemctl", "is-active", "nats-server"]).trim() == "active"
}
