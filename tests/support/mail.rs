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
    /// Whether it is one of a code, and no notice.
    pub fn brings_code(&self) -> bool {
        self.text.contains("確認コード：")
    }

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

/// Waits until at least `count` mails with codes have arrived at an address; the newest is last.
///
/// # Errors
/// After 15 s without them.
pub fn wait_for(mailbox: &str, address: &str, count: usize) -> Result<Vec<Mail>> {
    let all = wait_until(mailbox, address, |mails| {
        mails.iter().filter(|mail| mail.brings_code()).count() >= count
    });
    Ok(with_codes(
        all.with_context(|| format!("{count} mails with codes"))?,
    ))
}

/// Waits until the mails to an address are what somebody waits for; the newest is last.
///
/// # Errors
/// After 15 s.
pub fn wait_until(mailbox: &str, address: &str, wanted: impl Fn(&[Mail]) -> bool) -> Result<Vec<Mail>> {
    let end = Instant::now() + PATIENCE;
    loop {
        let mails = all(mailbox, address)?;
        if wanted(&mails) {
            return Ok(mails);
        }
        if Instant::now() > end {
            let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
            bail!("only these mails to {address} arrived: {subjects:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The mails with codes to an address so far; the newest is last.
///
/// # Errors
/// When the mailbox does not answer.
pub fn to(mailbox: &str, address: &str) -> Result<Vec<Mail>> {
    Ok(with_codes(all(mailbox, address)?))
}

/// All mails to an address so far; the newest is last.
///
/// # Errors
/// When the mailbox does not answer.
pub fn all(mailbox: &str, address: &str) -> Result<Vec<Mail>> {
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

fn with_codes(mails: Vec<Mail>) -> Vec<Mail> {
    mails.into_iter().filter(Mail::brings_code).collect()
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
