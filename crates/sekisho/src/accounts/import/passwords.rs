//! The file of passwords that are handed out: each stands there before anybody can have an account with it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use csv::{ReaderBuilder, Writer};
use sekisho_proto::credentials::v1::ImportRow;

use crate::accounts::distributed;
use crate::accounts::own_file;
use crate::accounts::spreadsheet::{BOM, guarded, unguarded};

/// What it says of each account.
const TITLES: [&str; 5] = ["利用者ID", "施設コード", "施設名", "氏名", "配布パスワード"];
/// Of the titles.
const PASSWORD: usize = 4;
/// An import goes on within days.
const OLD: Duration = Duration::from_hours(7 * 24);

/// The file, and what stood in it when it was opened: an import that was interrupted goes on with the same passwords.
pub(crate) struct Passwords {
    file: File,
    of_login: HashMap<String, String>,
    /// A line was perhaps written by half: whatever came behind it could not be read.
    is_broken: bool,
}

impl Passwords {
    /// Opens a file of ours, or makes one.
    ///
    /// # Errors
    /// A sentence for a file that is none of ours, or that others can read.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut file = own_file::open(path, File::options().read(true).append(true))?;
        let found = file.metadata()?;
        if found.permissions().mode() & 0o077 != 0 {
            bail!(
                "{} は他の人も読めます。chmod 600 を実行してから、もう一度実行してください。",
                path.display()
            );
        }
        // Whoever gets a login id after somebody else must not get the password of then.
        if found.len() > 0 && found.modified()?.elapsed().is_ok_and(|age| age > OLD) {
            bail!(
                "{} は7日以上前のものです。取り込みのたびに、別の名前のファイルにしてください。",
                path.display()
            );
        }
        // Two imports with one file would make two passwords for one person.
        file.try_lock()
            .map_err(|_| anyhow!("{} は、別の取り込みが使っています", path.display()))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        // Half a line is left when somebody pulled the plug: nobody has an account with it yet.
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        text.truncate(whole);
        let of_login = known(&text).with_context(|| {
            format!(
                "{} は配布パスワードのファイルではありません。表計算ソフトで保存し直したファイルは使えません",
                path.display()
            )
        })?;
        if u64::try_from(whole)? < found.len() {
            file.set_len(u64::try_from(whole)?)?;
        }
        if text.is_empty() {
            file.write_all(&[BOM, &line(&TITLES)?].concat())?;
            file.sync_all()?;
            // The entry of the folder, too: a file that cannot be found has no passwords.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(Self {
            file,
            of_login,
            is_broken: false,
        })
    }

    /// The password of a login id: the one that stands in the file already, or a new one that [`Passwords::keep`] writes.
    pub fn password(&self, login: &str) -> (String, bool) {
        match self.of_login.get(login) {
            Some(password) => (password.clone(), false),
            None => (distributed::password(), true),
        }
    }

    /// Whether the password of a login id stood in the file when it was opened: an import before has handed it out.
    pub fn has(&self, login: &str) -> bool {
        self.of_login.contains_key(login)
    }

    /// Writes new passwords, and comes back when the disk has them.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&mut self, new: &[(&ImportRow, &str)]) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for (row, password) in new {
            let cells = [&row.login_id, &row.facility_code, &row.facility, &row.name];
            let [login, code, facility, name] = cells.map(|cell| guarded(cell));
            lines.extend(line(&[&login, &code, &facility, &name, password])?);
        }
        if self.is_broken {
            bail!("配布パスワードを保存できません");
        }
        self.is_broken = true;
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        written.context("配布パスワードを保存できません")?;
        self.is_broken = false;
        Ok(())
    }
}

fn line(cells: &[&str; TITLES.len()]) -> anyhow::Result<Vec<u8>> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(cells)?;
    Ok(writer.into_inner().map_err(csv::IntoInnerError::into_error)?)
}

/// Login ids and passwords; nothing of an empty file.
fn known(text: &[u8]) -> anyhow::Result<HashMap<String, String>> {
    let mut known = HashMap::new();
    let Some(text) = text.strip_prefix(BOM) else {
        return if text.is_empty() {
            Ok(known)
        } else {
            bail!("見出しがありません")
        };
    };
    let mut reader = ReaderBuilder::new().from_reader(text);
    if reader.headers()? != &csv::StringRecord::from(TITLES.to_vec()) {
        bail!("見出しが違います");
    }
    for record in reader.records() {
        let record = record?;
        known.insert(unguarded(&record[0]).to_owned(), record[PASSWORD].to_owned());
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(login: &str) -> ImportRow {
        ImportRow {
            login_id: login.to_owned(),
            name: "=登録, 花子".to_owned(),
            ..ImportRow::default()
        }
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_was_handed_out_is_handed_out_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passwords.csv");
        let mut passwords = Passwords::open(&path).unwrap();
        let (password, is_new) = passwords.password("04500001");
        assert!(is_new);
        passwords.keep(&[(&row("04500001"), &password)]).unwrap();
        drop(passwords);
        assert_eq!(mode(&path), 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.ends_with(&format!("04500001,,,\"'=登録, 花子\",{password}\n")),
            "{text}"
        );

        let passwords = Passwords::open(&path).unwrap();
        assert_eq!(passwords.password("04500001"), (password, false));
        assert!(passwords.password("04500002").1);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    /// Somebody pulled the plug in the middle of a line.
    #[test]
    fn half_a_line_is_no_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passwords.csv");
        let mut passwords = Passwords::open(&path).unwrap();
        passwords.keep(&[(&row("04500001"), "whole")]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        passwords.keep(&[(&row("04500002"), "half of it")]).unwrap();
        let both = std::fs::read(&path).unwrap();
        drop(passwords);
        for length in whole.len()..both.len() {
            std::fs::write(&path, &both[..length]).unwrap();
            let passwords = Passwords::open(&path).unwrap();
            assert_eq!(passwords.password("04500001").0, "whole");
            assert!(passwords.password("04500002").1, "{length}");
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
    }

    /// Two imports with one file would make two passwords for one person.
    #[test]
    fn one_import_uses_the_file_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passwords.csv");
        let first = Passwords::open(&path).unwrap();
        assert!(Passwords::open(&path).is_err());
        drop(first);
        assert!(Passwords::open(&path).is_ok());
    }

    /// Whoever gets a login id after somebody else must not get the password of then.
    #[test]
    fn an_old_file_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passwords.csv");
        Passwords::open(&path)
            .unwrap()
            .keep(&[(&row("-1"), "whole")])
            .unwrap();
        assert_eq!(Passwords::open(&path).unwrap().password("-1").0, "whole");
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        assert!(Passwords::open(&path).is_err());
    }

    #[test]
    fn a_file_of_somebody_else_or_for_everybody_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        std::fs::write(&path, "利用者ID,氏名\n04500001,登録 花子\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(Passwords::open(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);

        let readable = folder.path().join("readable.csv");
        std::fs::write(&readable, "").unwrap();
        std::fs::set_permissions(&readable, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Passwords::open(&readable).is_err());
    }
}
