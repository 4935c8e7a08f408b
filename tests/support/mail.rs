//! The mailbox, by its JSON API.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long a test waits for a mail.
const PATIENCE: Duration = Duration::from_secs(15);

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its `Message-ID`.
    pub message_id: String,
    /// Decoded.
    pub subject: String,
    /// The plain text, decoded.
    pub text: String,
}

impl Mail {
    /// The six digits after 確認コード：.
    ///
    /// # Errors
    /// When there are none.
    pub fn code(&self) -> Result<String> {
        let (_, after) = self
            .text
            .split_once("確認コード：")
            .context("the mail names no code")?;
        let code: String = after.chars().take_while(char::is_ascii_digit).collect();
        if code.len() == 6 {
            Ok(code)
        } else {
            bail!("the mail's code has {} digits", code.len())
        }
    }
}

/// Waits until at least `count` mails to an address have arrived; the newest is last.
///
/// # Errors
/// After 15 s without them.
pub fn wait_for(mailbox: &str, address: &str, count: usize) -> Result<Vec<Mail>> {
    let end = Instant::now() + PATIENCE;
    loop {
        let mails = to(mailbox, address)?;
        if mails.len() >= count {
            return Ok(mails);
        }
        if Instant::now() > end {
            bail!("{} of {count} mails to {address} arrived", mails.len());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The mails to an address so far; the newest is last.
///
/// # Errors
/// When the mailbox does not answer.
pub fn to(mailbox: &str, address: &str) -> Result<Vec<Mail>> {
    let list = get(&format!("{mailbox}/api/v1/messages"))?;
    let summaries = list["messages"].as_array().context("no list of messages")?;
    let ours = summaries.iter().filter(|summary| {
        summary["To"]
            .as_array()
            .is_some_and(|to| to.iter().any(|one| one["Address"] == address))
    });
    let mut mails = ours
        .map(|summary| mail(mailbox, summary))
        .collect::<Result<Vec<_>>>()?;
    mails.reverse();
    Ok(mails)
}

fn mail(mailbox: &str, summary: &Value) -> Result<Mail> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let whole = get(&format!("{mailbox}/api/v1/message/{}", text(&summary["ID"])))?;
    Ok(Mail {
        message_id: text(&whole["MessageID"]),
        subject: text(&whole["Subject"]),
        text: text(&whole["Text"]),
    })
}

fn get(url: &str) -> Result<Value> {
    Ok(ureq::get(url).call()?.body_mut().read_json()?)
}
