//! `sekisho accounts import`

mod calls;
pub(super) mod list;
mod outcome;
mod passwords;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;
use sekisho_proto::credentials::v1::import_row::Expected;
use sekisho_proto::credentials::v1::imported_row::Change;

use super::spreadsheet::Encoding;
use super::{Credentials, own_file};
use crate::progress;
use crate::text::clean;
use calls::{Answered, Calls, NewPasswords};
use list::{Line, List, Reading};
use outcome::Outcome;
use passwords::Passwords;

/// The longest file, in bytes: some 400,000 accounts.
const LONGEST: u64 = 64 * 1_024 * 1_024;

/// A list of accounts.
#[derive(Debug, Args)]
pub struct Import {
    /// A CSV file with titles in its first line: 利用者ID, and what else it has to say of 施設コード and 施設名, 氏名,
    /// メールアドレス, 状態 (有効 or 無効), パスワードハッシュ, NCR識別子. A new account needs a facility and a name.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Does what the list says; without it, only tells what would be done.
    #[arg(long)]
    apply: bool,
    /// Leaves out the lines that cannot be followed: whoever stands in one stays as before. Without it, nothing is done as
    /// long as there are any.
    #[arg(long, requires = "apply")]
    skip_broken: bool,
    /// Makes a password for each new account without a hash, and writes it into this file before the account is made. Give it
    /// with the first --apply, a new file for each list: no password is made for an account that is there. The same file again
    /// goes on where an import stopped. Without it the owners set their passwords by a code.
    #[arg(long, value_name = "FILE", requires = "apply")]
    initial_passwords: Option<PathBuf>,
    /// New accounts without a hash keep the password of the system that people signed in to before: credentials asks it at the first
    /// sign-in of each (SEKISHO_CREDENTIALS_FORMER_TOKEN_URL).
    #[arg(long, conflicts_with = "initial_passwords")]
    passwords_with_former: bool,
    /// Character encoding of the file; detected if not given.
    #[arg(long, value_enum, value_name = "ENCODING")]
    encoding: Option<Encoding>,
    /// How many digits a login id of digits alone has, because spreadsheets drop zeros; 0 for any number.
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    digits: usize,
    /// Writes what becomes of every line into this CSV file, in place of what it held.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    credentials: Credentials,
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let reading = Reading {
            encoding: self.encoding,
            digits: self.digits,
        };
        let List {
            encoding,
            ignored,
            lines,
            broken,
        } = list::read(&content(&self.file)?, reading)?;
        let report = self.report()?;
        let mut output = io::stdout().lock();
        let number = lines.len() + broken.len();
        writeln!(output, "{}：{number}行（{encoding}）", self.file.display())?;
        if !ignored.is_empty() {
            writeln!(
                output,
                "次の見出しの列は読みません（見出しの書き間違いがないか確認してください）：{}",
                clean(&ignored.join("、"))
            )?;
        }
        let compared = Outcome::of(self.compared(lines).await?, broken);
        writeln!(output, "取り込むと、次のようになります。")?;
        compared.summarize(&mut output)?;
        compared.name_broken(&mut output)?;
        let broken = compared.broken.len();
        if !self.apply {
            write_report(report, &compared)?;
            if broken > 0 {
                bail!(
                    "まだ何も変更していません。取り込めない行が{broken}行あるため、--apply だけでは何も変更しません。行を直してください。"
                );
            }
            writeln!(
                output,
                "まだ何も変更していません。--apply を付けると取り込みます。"
            )?;
            return Ok(());
        }
        if broken > 0 && !self.skip_broken {
            write_report(report, &compared)?;
            bail!(
                "取り込めない行があるため、何も変更していません。行を直してください。--skip-broken を付けると、その行を除いて取り込みます（その行の人は今のままです。退職者の無効化も行われません）。"
            );
        }
        let (done, ended) = self.applied(compared).await?;
        write_report(report, &done)?;
        writeln!(
            output,
            "{}",
            if ended.is_ok() {
                "取り込みました。"
            } else {
                "途中まで取り込みました。"
            }
        )?;
        done.summarize(&mut output)?;
        done.name_broken(&mut output)?;
        ended.context("途中で止まりました。同じコマンドをもう一度実行すると、残りを取り込みます")?;
        match done.broken.len().saturating_sub(broken) {
            0 => Ok(()),
            more => bail!("{more}行は、取り込みの途中で取り込めなくなりました。"),
        }
    }

    async fn compared(&self, lines: Vec<Line>) -> anyhow::Result<Vec<Answered>> {
        let calls = Calls {
            client: self.credentials.client()?,
            new_passwords: Some(NewPasswords::unknown()?),
            dry_run: true,
        };
        let bar = progress::bar(
            u64::try_from(lines.len())?,
            "照合 {bar:40} {human_pos} / {human_len}　残り {eta}",
        )?;
        let mut answered = Vec::new();
        let compared = calls.all(lines, &bar, &mut answered).await;
        bar.finish_and_clear();
        compared.map(|()| answered)
    }

    /// Does what was only compared before: what came of it, and how it ended. Lines without a change stay at home.
    async fn applied(&self, compared: Outcome) -> anyhow::Result<(Outcome, anyhow::Result<()>)> {
        let new_passwords = match &self.initial_passwords {
            None if self.passwords_with_former => NewPasswords::with_former(),
            None => NewPasswords::unknown()?,
            Some(path) => NewPasswords::of(Passwords::open(path)?),
        };
        let (unchanged, changed): (Vec<_>, Vec<_>) = compared
            .followed
            .into_iter()
            .partition(|(_, changes)| changes.is_empty());
        let compared_to: HashMap<u64, Vec<i32>> = changed
            .iter()
            .map(|(line, changes)| {
                (
                    line.number,
                    changes.iter().map(|change| (*change).into()).collect(),
                )
            })
            .collect();
        let bar = progress::bar(
            u64::try_from(changed.len())?,
            "取込 {bar:40} {human_pos} / {human_len}　残り {eta}",
        )?;
        let (new, known): (Vec<_>, Vec<_>) = changed
            .into_iter()
            .partition(|(_, changes)| changes.contains(&Change::Registered));
        let mut answered = Vec::new();
        let mut ended = Ok(());
        for (lines, new_passwords, expected) in [
            (new, Some(new_passwords.clone()), Expected::New),
            (known, None, Expected::Known),
        ] {
            let calls = Calls {
                client: self.credentials.client()?,
                new_passwords,
                dry_run: false,
            };
            let lines = lines
                .into_iter()
                .map(|(line, _)| line.expecting(expected))
                .collect();
            ended = calls.all(lines, &bar, &mut answered).await;
            if ended.is_err() {
                break;
            }
        }
        if ended.is_ok() {
            ended = self.go_on_with(&new_passwords, &mut answered, &bar).await;
        }
        bar.finish_and_clear();
        for (line, answer) in &mut answered {
            // Done by a call of ours whose answer was lost: what somebody else did meanwhile is refused.
            if answer.refusal.is_empty() && answer.changes.is_empty() {
                answer.changes = compared_to.get(&line.number).cloned().unwrap_or_default();
            }
        }
        let mut done = Outcome::of(answered, compared.broken);
        done.followed.extend(unchanged);
        done.followed.sort_by_key(|(line, _)| line.number);
        Ok((done, ended))
    }

    /// The import before was killed, and a call of its that was under way made accounts after they were compared: they have the
    /// passwords of the file, and are gone on with.
    async fn go_on_with(
        &self,
        passwords: &NewPasswords,
        answered: &mut Vec<Answered>,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        let is_ours = |(line, answer): &mut Answered| {
            answer.refusal == "ACCOUNT_EXISTS" && passwords.were_made_before(&line.row.login_id)
        };
        let made: Vec<Answered> = answered.extract_if(.., is_ours).collect();
        let calls = Calls {
            client: self.credentials.client()?,
            new_passwords: None,
            dry_run: false,
        };
        let lines = made.into_iter().map(|(line, _)| line.expecting(Expected::Known));
        calls.all(lines.collect(), bar, answered).await
    }

    /// Opened before anything is done: what cannot be written is known in time. Never one of the other files.
    fn report(&self) -> anyhow::Result<Option<File>> {
        let Some(path) = &self.report else {
            return Ok(None);
        };
        let others = [Some(&self.file), self.initial_passwords.as_ref()];
        let same = |other: &PathBuf| match (path.canonicalize(), other.canonicalize()) {
            (Ok(one), Ok(other)) => one == other,
            _ => path == other,
        };
        if others.into_iter().flatten().any(same) {
            bail!("--report の {} は、ほかのファイルと同じです。", path.display());
        }
        let file = own_file::open(path, File::options().write(true));
        let file = file.with_context(|| format!("{} に結果を書けません", path.display()))?;
        Ok(Some(file))
    }
}

fn write_report(report: Option<File>, outcome: &Outcome) -> anyhow::Result<()> {
    let Some(mut file) = report else {
        return Ok(());
    };
    file.set_len(0)?;
    outcome.write_report(&mut file).context("結果を書けません")
}

fn content(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut content = Vec::new();
    let file = File::open(path).with_context(|| format!("{} を開けません", path.display()))?;
    file.take(LONGEST + 1).read_to_end(&mut content)?;
    if u64::try_from(content.len())? > LONGEST {
        bail!(
            "{} は64 MiBを超えています。分けて取り込んでください。",
            path.display()
        );
    }
    Ok(content)
}
