//! Codes out of the mailbox, for many who wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Mails that are looked at each time.
const NEWEST: usize = 100;
/// Between two looks into the mailbox.
const LOOK: Duration = Duration::from_millis(25);
/// How long a mail may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The newest code of each address, as one reader finds them in the mailbox.
#[derive(Default)]
pub struct Codes {
    found: Mutex<Found>,
    more: Condvar,
}

#[derive(Default)]
struct Found {
    /// By address; the mail's id tells an old one.
    newest: HashMap<String, (String, String)>,
    /// Ids of mails that were asked for before.
    old: HashMap<String, String>,
}

impl Codes {
    /// Reads until it is over.
    pub fn read(&self, mailbox: &str, is_over: &AtomicBool) -> Result<()> {
        let url = format!("{mailbox}/api/v1/messages?limit={NEWEST}");
        let agent = ureq::Agent::new_with_defaults();
        while !is_over.load(Ordering::Relaxed) {
            let list: Value = agent.get(&url).call()?.body_mut().read_json()?;
            let mails = list["messages"].as_array().context("no list of mails")?;
            let mut found = locked(&self.found);
            // Newest first: the last that is written is the newest.
            for mail in mails.iter().rev() {
                if let Some((address, code)) = code(mail) {
                    let id = mail["ID"].as_str().unwrap_or_default().to_owned();
                    found.newest.insert(address, (id, code));
                }
            }
            drop(found);
            self.more.notify_all();
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// What has come so far is not what somebody waits for from now on.
    pub fn forget(&self, address: &str) {
        let mut found = locked(&self.found);
        if let Some((id, _)) = found.newest.get(address).cloned() {
            found.old.insert(address.to_owned(), id);
        }
    }

    /// The code of a mail that has come since.
    pub fn wait(&self, address: &str) -> Result<String> {
        let end = Instant::now() + PATIENCE;
        let mut found = locked(&self.found);
        loop {
            let newest = found.newest.get(address);
            let is_old = |id: &String| found.old.get(address) == Some(id);
            if let Some((_, code)) = newest.filter(|(id, _)| !is_old(id)) {
                return Ok(code.clone());
            }
            ensure!(Instant::now() < end, "no mail to {address}");
            let (again, _) = self
                .more
                .wait_timeout(found, PATIENCE)
                .unwrap_or_else(PoisonError::into_inner);
            found = again;
        }
    }
}

/// Address and code of a mail's summary.
fn code(mail: &Value) -> Option<(String, String)> {
    let (_, after) = mail["Snippet"].as_str()?.split_once("確認コード：")?;
    let code: String = after.chars().take_while(char::is_ascii_digit).collect();
    let address = mail["To"][0]["Address"].as_str()?.to_owned();
    (code.len() == 6).then_some((address, code))
}

/// Whatever a thread that died has left.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
