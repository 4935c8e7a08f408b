//! Accounts as a list says they should be.

use std::time::Duration;

use sekisho_credentials::app::{Denied, Error, Expected, Import, ImportRow, Imported, Outcome};
use sekisho_credentials::domain::{Change, Declared, Rules};
use sekisho_proto::credentials::v1::{AccountRegistered, ProfileChanged};
use sekisho_proto::events::AccountEvent;
use sekisho_proto::refusal::Refuse as _;
use sekisho_service::settings::Secret;

use crate::support::{ACTOR, ADDRESS, Bench, LOGIN, PASSWORD, hash_text};

fn row(login: &str) -> ImportRow {
    ImportRow {
        declared: Declared {
            login_id: login.to_owned(),
            facility_code: "0450000".to_owned(),
            facility: "架空がんセンター".to_owned(),
            name: "登録 花子".to_owned(),
            address: ADDRESS.to_owned(),
            ..Declared::default()
        },
        password_hash: Secret::new(hash_text(PASSWORD, 64)),
        password_is_initial: false,
        expected: Expected::Anything,
    }
}

/// A row that says nothing of an account that exists but this.
fn only(login: &str, say: impl FnOnce(&mut Declared)) -> ImportRow {
    let mut declared = Declared {
        login_id: login.to_owned(),
        ..Declared::default()
    };
    say(&mut declared);
    ImportRow {
        declared,
        password_hash: Secret::new(String::new()),
        password_is_initial: false,
        expected: Expected::Anything,
    }
}

impl Bench {
    async fn import(&self, rows: Vec<ImportRow>, import: Import<'_>) -> Vec<Imported> {
        self.app.import(rows, import).await.unwrap()
    }

    async fn changes(&self, row: ImportRow) -> Vec<Change> {
        let mut imported = self.import(vec![row], Import::By(ACTOR)).await;
        imported.pop().unwrap().outcome.unwrap()
    }

    async fn events(&self) -> Vec<AccountEvent> {
        let entries = self.account_entries().await;
        entries.iter().map(|entry| entry.event().unwrap()).collect()
    }
}

fn outcomes<'a>(imported: &'a [Imported]) -> Vec<Result<&'a [Change], &'static str>> {
    let outcome = |imported: &'a Imported| match &imported.outcome {
        Ok(changes) => Ok(changes.as_slice()),
        Err(error) => Err(error.reason()),
    };
    imported.iter().map(outcome).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_the_list_would_do_and_the_same_list_does_it_once() {
    let bench = Bench::new().await;
    bench.register().await;
    let list = || {
        vec![
            row("04500002"),
            row("０４５００００３"),
            only(LOGIN, |declared| declared.disabled = Some(true)),
        ]
    };
    let registered: Result<&[Change], _> = Ok(&[Change::Registered]);
    let said = bench.import(list(), Import::DryRun).await;
    assert_eq!(outcomes(&said), [registered, registered, Ok(&[Change::Disabled])]);
    assert_eq!(said[1].login.as_ref().unwrap().as_str(), "04500003");
    assert_eq!(bench.account_entries().await.len(), 1);
    assert!(bench.app.show("04500002").await.is_err());

    let done = bench.import(list(), Import::By(ACTOR)).await;
    assert_eq!(outcomes(&done), outcomes(&said));
    assert!(bench.app.show(LOGIN).await.unwrap().disabled);
    for login in ["04500002", "04500003"] {
        let outcome = bench.sign_in(login, PASSWORD).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    let before = bench.account_entries().await.len();
    let again = bench.import(list(), Import::By(ACTOR)).await;
    assert_eq!(outcomes(&again), [Ok(&[] as &[_]); 3]);
    assert_eq!(bench.account_entries().await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_followed_hinders_no_other() {
    let bench = Bench::new().await;
    let broken = |login: &str, change: fn(&mut ImportRow)| {
        let mut row = row(login);
        change(&mut row);
        row
    };
    let list = || {
        vec![
            broken("04500003", |row| row.declared.login_id.clear()),
            broken("04500004", |row| row.declared.facility_code.clear()),
            broken("04500005", |row| row.declared.facility.clear()),
            broken("04500006", |row| row.declared.name.clear()),
            broken("04500007", |row| row.declared.address = "nowhere".to_owned()),
            broken("04500008", |row| {
                row.password_hash = Secret::new("$argon2id$".to_owned());
            }),
            row(LOGIN),
        ]
    };
    let refusals = [
        "LOGIN_ID_INVALID",
        "FACILITY_CODE_MISSING",
        "FACILITY_MISSING",
        "NAME_MISSING",
        "ADDRESS_INVALID",
        "PASSWORD_HASH_INVALID",
    ];
    for import in [Import::DryRun, Import::By(ACTOR)] {
        let imported = bench.import(list(), import).await;
        let refused: Vec<_> = outcomes(&imported).into_iter().filter_map(Result::err).collect();
        assert_eq!(refused, refusals, "{import:?}");
        assert_eq!(imported[6].outcome.as_ref().unwrap(), &[Change::Registered]);
    }
    let registered: AccountEvent = AccountRegistered {
        disabled: false,
        facility_code: "0450000".to_owned(),
        password_is_initial: false,
    }
    .into();
    assert_eq!(bench.events().await, [registered]);
}

/// Of two rows about one account nobody knows which is meant to be the last.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_rows_about_one_account_the_second_is_refused() {
    let bench = Bench::new().await;
    for import in [Import::DryRun, Import::By(ACTOR)] {
        let twins = vec![row("04500002"), row("０４５００００２")];
        let imported = bench.import(twins, import).await;
        assert_eq!(
            outcomes(&imported),
            [Ok(&[Change::Registered] as &[_]), Err("LOGIN_ID_REPEATED")]
        );
    }
    assert_eq!(bench.account_entries().await.len(), 1);
}

/// Such as one with an event of a newer version.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_decided_on_hinders_no_other() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.sql("update log.entry set event_type = 'account_sung';");
    let list = || {
        vec![
            only(LOGIN, |declared| declared.disabled = Some(true)),
            row("04500002"),
        ]
    };
    for import in [Import::DryRun, Import::By(ACTOR)] {
        let imported = bench.import(list(), import).await;
        assert_eq!(
            outcomes(&imported),
            [Err("LOG_MISMATCH"), Ok(&[Change::Registered] as &[_])]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_its_event_and_what_is_not_said_stays() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let moved = only(LOGIN, |declared| {
        (declared.facility_code, declared.facility) = ("0460000".to_owned(), "見本病院".to_owned());
    });
    assert_eq!(bench.changes(moved).await, [Change::Transferred]);
    let renamed = only(LOGIN, |declared| declared.name = "登録 華子".to_owned());
    assert_eq!(bench.changes(renamed).await, [Change::Renamed]);
    let elsewhere = only(LOGIN, |declared| {
        declared.address = "elsewhere@example.com".to_owned();
    });
    assert_eq!(bench.changes(elsewhere).await, [Change::AddressChanged]);
    for (disabled, change) in [(true, Change::Disabled), (false, Change::Enabled)] {
        let switched = only(LOGIN, |declared| declared.disabled = Some(disabled));
        assert_eq!(bench.changes(switched).await, [change]);
    }
    let shown = bench.app.show(LOGIN).await.unwrap();
    assert_eq!(
        [
            &shown.row.facility_code,
            &shown.row.facility,
            &shown.row.name,
            &shown.row.address
        ],
        ["0460000", "見本病院", "登録 華子", "elsewhere@example.com"]
    );
    let changed = |facility_code: &str| -> AccountEvent {
        ProfileChanged {
            facility_code: facility_code.to_owned(),
        }
        .into()
    };
    assert_eq!(bench.events().await[1..3], [changed("0460000"), changed("")]);
    assert_eq!(shown.account, account);
}

/// Whoever is at another facility now must not go on with what was opened at the old one.
#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_ends_what_was_opened_before() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let moved = only(LOGIN, |declared| {
        (declared.facility_code, declared.facility) = ("0460000".to_owned(), "見本病院".to_owned());
    });
    bench.changes(moved).await;
    let (newest, _) = bench.newest().await;
    assert_eq!(
        bench.account(account).await.history.cuts.all,
        newest.recorded.position
    );
}

/// Between the dry run and the import others do their work, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_refused_when_somebody_else_was_there_first() {
    let bench = Bench::new().await;
    bench.register().await;
    let outcome = async |row: ImportRow, expected: Expected| {
        let row = ImportRow { expected, ..row };
        let mut imported = bench.import(vec![row], Import::By(ACTOR)).await;
        imported.pop().unwrap().outcome.map_err(|error| error.reason())
    };
    assert_eq!(outcome(row(LOGIN), Expected::New).await, Err("ACCOUNT_EXISTS"));
    assert_eq!(outcome(row(LOGIN), Expected::Known).await, Ok(Vec::new()));
    // A call whose answer was lost comes again with the same hash.
    let new = row("04500002");
    assert_eq!(
        outcome(new.clone(), Expected::New).await,
        Ok(vec![Change::Registered])
    );
    assert_eq!(outcome(new, Expected::New).await, Ok(Vec::new()));
    bench.app.erase(LOGIN, ACTOR).await.unwrap();
    assert_eq!(outcome(row(LOGIN), Expected::Known).await, Err("ACCOUNT_UNKNOWN"));
    assert!(bench.app.show(LOGIN).await.is_err());
}

/// Else it could sign in between the one event and the other.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_begins_disabled_was_never_enabled() {
    let bench = Bench::new().await;
    let mut new = row(LOGIN);
    new.declared.disabled = Some(true);
    assert_eq!(bench.changes(new).await, [Change::Registered, Change::Disabled]);
    let events = bench.events().await;
    let [AccountEvent::AccountRegistered(registered)] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(registered.disabled);
    assert_eq!(
        bench.sign_in(LOGIN, PASSWORD).await,
        Outcome::Denied(Denied::Disabled)
    );
    bench.app.enable(LOGIN, ACTOR).await.unwrap();
    assert!(matches!(
        bench.sign_in(LOGIN, PASSWORD).await,
        Outcome::Accepted(_)
    ));
}

/// C-27: a wrong password would be answered later than one for an id that nobody has.
#[tokio::test(flavor = "multi_thread")]
async fn a_hash_that_takes_longer_than_a_denial_is_refused() {
    let bench = Bench::with_rules(Rules {
        denial_time: Duration::from_millis(30),
        ..Rules::default()
    })
    .await;
    let dear = ImportRow {
        // 2^12 rounds take more than a hundred milliseconds on any machine.
        password_hash: Secret::new("$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".to_owned()),
        ..row(LOGIN)
    };
    for import in [Import::DryRun, Import::By(ACTOR)] {
        let imported = bench.import(vec![dear.clone(), row("04500002")], import).await;
        assert_eq!(outcomes(&imported)[0], Err("PASSWORD_HASH_DEAR"), "{import:?}");
        assert!(imported[1].outcome.is_ok(), "{:?}", imported[1].outcome);
    }
    let measured = bench.app.pool().computed();
    assert_eq!(measured, 2, "each make once");
}

/// An import is no way around the rule that nobody else chooses a password.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_exists_keeps_its_password() {
    let bench = Bench::new().await;
    bench.register().await;
    let other = ImportRow {
        password_hash: Secret::new(hash_text("another password", 64)),
        password_is_initial: true,
        ..row(LOGIN)
    };
    assert_eq!(bench.changes(other).await, []);
    let outcome = bench.sign_in(LOGIN, "another password").await;
    assert_eq!(outcome, Outcome::Denied(Denied::WrongPassword));
    assert!(matches!(
        bench.sign_in(LOGIN, PASSWORD).await,
        Outcome::Accepted(_)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_takes_so_many_rows_and_no_more() {
    let bench = Bench::new().await;
    let rows = |number| (0..number).map(|_| only("", |_| ())).collect();
    assert_eq!(bench.import(rows(500), Import::DryRun).await.len(), 500);
    let refused = bench.app.import(rows(501), Import::DryRun).await;
    assert!(matches!(refused, Err(Error::TooManyRows)), "{refused:?}");
}
