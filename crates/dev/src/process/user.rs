//! The ordinary user that servers run as when `cargo dev` itself is root.

use std::fs;

use anyhow::{Context, Result};

/// A user of this machine, as `/etc/passwd` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// The numeric user id.
    pub uid: u32,
    /// The numeric id of the user's own group.
    pub gid: u32,
}

/// True when this process has root's rights.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whom PostgreSQL must run as: nobody else than ourselves (`None`), or, as PostgreSQL refuses root, the user
/// `postgres`, and where there is none, `nobody`.
///
/// # Errors
/// When we are root and the machine knows neither user.
pub fn for_servers() -> Result<Option<User>> {
    if !is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let user = find(&passwd, "postgres").or_else(|| find(&passwd, "nobody"));
    user.map(Some)
        .context("PostgreSQL refuses to run as root, and this machine has no user postgres or nobody")
}

fn find(passwd: &str, name: &str) -> Option<User> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(User {
            name: name.to_owned(),
            uid,
            gid,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres2:x:1:1::/:/bin/sh\npostgres:x:113:121::/:/bin/sh\n";
        let expected = User {
            name: "postgres".to_owned(),
            uid: 113,
            gid: 121,
        };
        assert_eq!(find(passwd, "postgres"), Some(expected));
        assert_eq!(find(passwd, "nobody"), None);
    }
}
