//! `sekisho mail reconcile`

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Context, bail};
use clap::Args;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use time::{Duration, OffsetDateTime};

use super::fate::{Brings, End, Mail, Mails};
use crate::log::entries;
use crate::progress;
use crate::text::{jst, padded};

/// Entries of one query.
const PAGE: i64 = 5_000;

/// Which mails.
#[derive(Debug, Args)]
pub struct Reconcile {
    /// Those of the last so many hours; 0 for all.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    hours: u32,
    /// PostgreSQL connection string, as role `sekisho_reader`. In development type `eval "$(cargo dev env)"` first.
    #[arg(
        long,
        env = "SEKISHO_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    database: String,
}

impl Reconcile {
    /// Reads, counts and prints.
    ///
    /// # Errors
    /// What went wrong, in a sentence; also when nobody tried to mail a code, or an outcome is of a code that was never
    /// issued.
    pub async fn run(self) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.database)
            .await
            .context("PostgreSQL に接続できません")?;
        let now = entries::now(&mut connection).await.context("ログを読めません")?;
        let since = match self.hours {
            0 => OffsetDateTime::UNIX_EPOCH,
            hours => now - Duration::hours(hours.into()),
        };
        let account = Account::of(&read(&mut connection, since).await?, now);
        let mut output = io::stdout().lock();
        if self.hours > 0 {
            writeln!(output, "{} からのメール", jst(since))?;
        }
        account.tell(&mut output)?;
        account.check()
    }
}

async fn read(connection: &mut PgConnection, since: OffsetDateTime) -> anyhow::Result<Mails> {
    let unreadable = "ログを読めません";
    let mut after = entries::before(connection, since).await.context(unreadable)?;
    let mut mails = Mails::after(u64::try_from(after)?);
    let head = entries::head(connection).await.context(unreadable)?;
    let bar = progress::bar(
        u64::try_from(head - after).unwrap_or_default(),
        "読込 {bar:40} {human_pos} / {human_len}　残り {eta}",
    )?;
    loop {
        let page = entries::of_codes(connection, after, PAGE)
            .await
            .context(unreadable)?;
        let Some(last) = page.last() else { break };
        bar.inc(u64::try_from(last.position - after).unwrap_or_default());
        after = last.position;
        for line in &page {
            mails.fold(line)?;
        }
    }
    bar.finish_and_clear();
    Ok(mails)
}

/// How many mails of codes there were, and how they ended.
#[derive(Debug, PartialEq, Eq)]
struct Account {
    issued: usize,
    ends: BTreeMap<Option<End>, usize>,
    notices: BTreeMap<Option<End>, usize>,
    /// Codes whose time is over and that nobody tried to mail.
    untried: usize,
    /// Outcomes of codes that were never issued.
    strays: usize,
}

impl Account {
    fn of(mails: &Mails, now: OffsetDateTime) -> Self {
        let mut account = Self {
            issued: 0,
            ends: BTreeMap::new(),
            notices: BTreeMap::new(),
            untried: 0,
            strays: mails.strays,
        };
        for mail in mails.at(now) {
            let ends = match mail.brings {
                Brings::Code(_) => {
                    account.issued += 1;
                    account.untried += usize::from(is_untried(&mail));
                    &mut account.ends
                }
                Brings::Notice(_) => &mut account.notices,
            };
            *ends.entry(mail.end).or_default() += 1;
        }
        account
    }

    /// # Errors
    /// A sentence when something is missing: a worker, or an entry of the log.
    fn check(&self) -> anyhow::Result<()> {
        if self.untried > 0 {
            bail!(
                "送信を始めないまま期限の切れた確認コードが{}件あります。otp が動いているか調べてください。",
                self.untried
            );
        }
        if self.strays > 0 {
            bail!(
                "発行の記録がない送信結果が{}件あります。sekisho mail trace で調べてください。",
                self.strays
            );
        }
        Ok(())
    }

    fn tell(&self, output: &mut impl Write) -> io::Result<()> {
        let of = |end| self.ends.get(&end).copied().unwrap_or_default();
        let rows = [
            ("引き渡し済み", of(Some(End::Mailed))),
            ("送信できず", of(Some(End::Failed))),
            ("送る前に不要", of(Some(End::Superseded))),
            ("送る前に期限切れ", of(Some(End::Expired))),
            ("送らないことにした", of(Some(End::Withheld))),
            ("送信中", of(None)),
        ];
        writeln!(output, "{}{:>8}", padded("発行した確認コード", 24), self.issued)?;
        for (label, number) in rows {
            writeln!(output, "  {}{number:>8}", padded(label, 22))?;
        }
        let notices = |end| self.notices.get(&end).copied().unwrap_or_default();
        writeln!(
            output,
            "お知らせ：引き渡し済み{}、送信できず{}、送信中{}",
            notices(Some(End::Mailed)),
            notices(Some(End::Failed)),
            notices(None)
        )
    }
}

fn is_untried(mail: &Mail) -> bool {
    mail.end == Some(End::Expired) && mail.steps.is_empty()
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
