//! What administrators do.

use sekisho_credentials::app::{Denied, Error, Outcome, Registration};
use sekisho_credentials::domain::{Address, Locked, Profile};
use sekisho_credentials::sealing::PersonalKey;
use sekisho_credentials::store::Page;
use sekisho_eventlog::{Argument, EventId, FlowId, Outcome as Appended, Position, StreamId, Via};
use sekisho_evidence::Refusal;
use sekisho_proto::credentials::v1::{AccountEnabled, EmailChanged, ProfileChanged};
use sekisho_proto::events::AccountEvent;
use sekisho_proto::otp::v1::{CodeRejected, Purpose};
use sekisho_proto::sessions::v1::{SessionStarted, SessionsCut};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::support::{
    ACTOR, ADDRESS, Bench, LOGIN, PASSWORD, draft, dump, eventually, hash_of, hash_without_password, hex,
    registration,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_actor_of_an_event_is_the_administrator() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.app.disable(LOGIN, "another-administrator").await.unwrap();
    let actors: Vec<String> = bench
        .account_entries()
        .await
        .into_iter()
        .map(|entry| entry.metadata().actor)
        .collect();
    assert_eq!(actors, [ACTOR, "another-administrator"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_id_is_registered_once_however_it_is_typed() {
    let bench = Bench::new().await;
    bench.register().await;
    let again = registration("０４５００００１", ADDRESS, &hash_without_password(1));
    let outcome = bench.app.register(again, ACTOR).await;
    assert!(matches!(outcome, Err(Error::AccountExists)), "{outcome:?}");
    let impossible = registration("  ", ADDRESS, &hash_without_password(1));
    let outcome = bench.app.register(impossible, ACTOR).await;
    assert!(matches!(outcome, Err(Error::LoginId)), "{outcome:?}");
    assert_eq!(bench.account_entries().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_registrations_of_one_login_id_at_once_one_stands() {
    let bench = Bench::new().await;
    let phc = hash_without_password(1);
    let registrations = (0..8).map(|_| bench.app.register(registration(LOGIN, ADDRESS, &phc), ACTOR));
    let outcomes = futures::future::join_all(registrations).await;
    let mut accounts = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok((account, _)) => accounts.push(account),
            Err(error) => assert!(matches!(error, Error::AccountExists), "{error:?}"),
        }
    }
    assert_eq!(accounts, [bench.found(LOGIN).await.account]);
    assert_eq!(bench.account_entries().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_already_is_no_event() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    assert_eq!(bench.app.enable(LOGIN, ACTOR).await.unwrap(), Position(0));
    let disabled = bench.app.disable(LOGIN, ACTOR).await.unwrap();
    assert_eq!(bench.app.disable(LOGIN, ACTOR).await.unwrap(), Position(0));
    assert_eq!(bench.account(account).await.history.cuts.all, disabled);
    assert_eq!(bench.account_entries().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_id_that_nobody_has_is_told_to_administrators() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    assert_eq!(
        bench.app.resolve_login(" ０４５００００１").await.unwrap(),
        account
    );
    for login in ["04500009", ""] {
        let outcome = bench.app.resolve_login(login).await;
        assert!(matches!(outcome, Err(Error::AccountUnknown)), "{outcome:?}");
        let outcome = bench.app.disable(login, ACTOR).await;
        assert!(matches!(outcome, Err(Error::AccountUnknown)), "{outcome:?}");
    }
}

fn address(text: &str) -> Address {
    Address::try_from(text).unwrap()
}

/// A code that is under way must not be the key to an account whose mail now goes elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_takes_effect_with_its_event_and_ends_what_is_under_way() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let flow = bench.reset(LOGIN).await;
    bench.verify_code(account, flow, Purpose::Reset).await;
    let to = Some(address("elsewhere@example.com"));
    let changed = bench.app.change_address(LOGIN, to.clone(), ACTOR).await.unwrap();
    assert_eq!(bench.newest().await.0.recorded.position, changed);
    let person = bench.app.store().person(account).await.unwrap().unwrap();
    assert_eq!(person.address, to);
    let secret = sekisho_service::settings::Secret::new(crate::support::SECRET.to_vec());
    let shown = bench.app.describe_flow(flow, &secret, Position(0)).await;
    assert!(matches!(shown, Err(Error::Flow(Refusal::Cut))), "{shown:?}");

    assert_eq!(
        bench.app.change_address(LOGIN, to, ACTOR).await.unwrap(),
        Position(0)
    );
    bench.app.change_address(LOGIN, None, ACTOR).await.unwrap();
    assert_eq!(
        bench.sign_in(LOGIN, PASSWORD).await,
        Outcome::Denied(Denied::NoEmail)
    );
    let nobody = bench.app.change_address("04500009", None, ACTOR).await;
    assert!(matches!(nobody, Err(Error::AccountUnknown)), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_used_up_leads_to_another_one() {
    let bench = Bench::new().await;
    bench.register().await;
    let before = bench.accepted().await;
    bench.app.expire_password(LOGIN, ACTOR).await.unwrap();
    assert_eq!(
        bench.app.expire_password(LOGIN, ACTOR).await.unwrap(),
        Position(0)
    );
    let secret = sekisho_service::settings::Secret::new(crate::support::SECRET.to_vec());
    let shown = bench.app.describe_flow(before, &secret, Position(0)).await;
    assert!(matches!(shown, Err(Error::Flow(Refusal::Cut))), "{shown:?}");
    let outcome = bench.sign_in(LOGIN, PASSWORD).await;
    assert!(matches!(outcome, Outcome::MustChange(_)), "{outcome:?}");
    assert!(bench.app.show(LOGIN).await.unwrap().password.expired);
}

/// What the tables hold of anybody; the key of the day is everybody's.
fn remains(bench: &Bench) -> String {
    let of_days = bench.sql("select t::text from credentials.day_key as t;");
    dump(bench).replace(of_days.trim(), "")
}

/// Everything that the database holds, in every schema, as a superuser sees it; bytes as hexadecimal digits.
fn everything(bench: &Bench) -> String {
    let tables = bench.sql(
        "select format('%I.%I', schemaname, tablename) from pg_tables
         where schemaname not in ('pg_catalog', 'information_schema') order by 1;",
    );
    let rows = |table: &str| bench.sql(&format!("select t::text from {table} as t;"));
    tables
        .lines()
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(rows)
        .collect()
}

/// A text as it stands in text, and in bytes.
fn holds(dump: &str, text: &str) -> bool {
    dump.contains(text) || dump.contains(&hex(text.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_erased_person_nothing_is_left() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    bench.accepted().await;
    bench.sign_in(LOGIN, "wrong").await;
    let to = Some(address("elsewhere@example.com"));
    bench.app.change_address(LOGIN, to, ACTOR).await.unwrap();
    let id = account.to_string();
    let personal = [LOGIN, "登録 花子", ADDRESS, "elsewhere@example.com"];
    for text in personal.into_iter().chain([id.as_str()]) {
        assert!(remains(&bench).contains(text), "{text}");
    }
    let sealed = of_browsers(&bench).await;
    let theirs = Profile::read(
        "0450000".to_owned(),
        "架空がんセンター".to_owned(),
        "見本 二葉".to_owned(),
        "futaba@example.com",
    );
    let somebody_else = Registration {
        profile: theirs.unwrap(),
        ..registration("04500002", ADDRESS, &hash_of(PASSWORD, 64))
    };
    let (other, _) = bench.app.register(somebody_else, ACTOR).await.unwrap();
    let wrapped = bench.found(LOGIN).await.key;
    let own = PersonalKey::unwrap(&bench.masters, account, &wrapped).unwrap();
    assert!(sealed.iter().all(|seal| seal.opens_with(&own)) && sealed.len() == 2);

    bench.app.erase(LOGIN, ACTOR).await.unwrap();
    let newest = bench.newest().await;
    assert!(matches!(newest.1, AccountEvent::AccountErased(_)), "{newest:?}");
    let dump = everything(&bench);
    for text in personal {
        assert!(!holds(&dump, text), "{text}");
    }
    // What is left in the log opens with no key that is left: those of other accounts, and those of phantoms.
    let keys = bench.sql("select account_id from credentials.personal_key;");
    assert_eq!(keys.trim(), other.to_string());
    let others = PersonalKey::unwrap(&bench.masters, other, &bench.found("04500002").await.key).unwrap();
    for seal in &sealed {
        assert!(!seal.opens_with(&others));
        assert!(!seal.opens_with(&bench.app.phantoms().key(seal.event_id)));
    }
    bench.app.erase("04500002", ACTOR).await.unwrap();
    assert_eq!(remains(&bench).trim(), "");

    assert_eq!(
        bench.sign_in(LOGIN, PASSWORD).await,
        Outcome::Denied(Denied::UnknownAccount)
    );
    let again = bench.app.erase(LOGIN, ACTOR).await;
    assert!(matches!(again, Err(Error::AccountUnknown)), "{again:?}");
    // The login id is free, and what the log sealed for the person before stays shut: the key is another one.
    let other = bench.register().await;
    assert_ne!(other, account);
    assert!(matches!(
        bench.sign_in(LOGIN, PASSWORD).await,
        Outcome::Accepted(_)
    ));
}

/// What the log keeps of a browser, sealed to an event of an account.
struct Sealed {
    account: StreamId,
    event_id: EventId,
    bytes: Vec<u8>,
}

impl Sealed {
    fn opens_with(&self, key: &PersonalKey) -> bool {
        key.open(self.account, self.event_id, &self.bytes).is_ok()
    }
}

async fn of_browsers(bench: &Bench) -> Vec<Sealed> {
    let entries = bench.account_entries().await;
    let sealed = entries.iter().filter_map(|entry| {
        let client = match entry.event::<AccountEvent>().unwrap() {
            AccountEvent::PasswordAccepted(accepted) => accepted.client,
            AccountEvent::PasswordRejected(rejected) => rejected.client,
            _ => None,
        };
        Some(Sealed {
            account: entry.recorded.stream,
            event_id: entry.recorded.event_id,
            bytes: client?.sealed,
        })
    });
    sealed.collect()
}

fn change_address(to: &str) -> Via {
    Via::Function {
        name: "credentials.change_address",
        arguments: vec![Argument::Text(to.to_owned())].into(),
        grouped: false,
    }
}

fn change_profile(name: &str) -> Via {
    let profile = ["0450000", "0450000", "架空がんセンター", name];
    let arguments = profile.map(|text| Argument::Text(text.to_owned()));
    Via::Function {
        name: "credentials.change_profile",
        arguments: arguments.to_vec().into(),
        grouped: false,
    }
}

/// No function leaves half of its work or does another's.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_takes_its_own_event_for_an_account_that_is_there() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let before = remains(&bench);
    let erase = Via::Function {
        name: "credentials.erase_account",
        arguments: Vec::new().into(),
        grouped: false,
    };
    let foreign: AccountEvent = AccountEnabled {}.into();
    for via in [change_address(""), change_profile(""), erase] {
        let draft = draft(&bench.log, account, None, &foreign).await;
        let outcome = bench.log.append(draft, &via).await;
        assert!(outcome.is_err(), "{via:?}: {outcome:?}");
        assert_eq!(remains(&bench), before, "{via:?}");
    }
    let nobody = StreamId(uuid::Uuid::from_u128(1));
    let changes: [(AccountEvent, Via); 2] = [
        (EmailChanged {}.into(), change_address("")),
        (ProfileChanged::default().into(), change_profile("")),
    ];
    for (event, via) in changes {
        let draft = draft(&bench.log, nobody, None, &event).await;
        let outcome = bench.log.append(draft, &via).await;
        assert!(outcome.is_err(), "{event:?}: {outcome:?}");
    }
    assert_eq!(bench.account_entries().await.len(), 1);
}

/// A commit whose answer was lost is asked for again; meanwhile somebody may have entered yet another address.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_recorded_already_is_not_written_again() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let first = draft(&bench.log, account, None, &AccountEvent::from(EmailChanged {})).await;
    let via = change_address("first@example.com");
    bench.log.append(first.clone(), &via).await.unwrap();
    let second = Some(address("second@example.com"));
    bench
        .app
        .change_address(LOGIN, second.clone(), ACTOR)
        .await
        .unwrap();
    let again = bench.log.append(first, &via).await.unwrap();
    assert!(matches!(again, Appended::Recorded(_)), "{again:?}");
    let person = bench.app.store().person(account).await.unwrap().unwrap();
    assert_eq!(person.address, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_is_recorded_already_is_not_written_again() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let changed: AccountEvent = ProfileChanged::default().into();
    let first = draft(&bench.log, account, None, &changed).await;
    bench
        .log
        .append(first.clone(), &change_profile("一"))
        .await
        .unwrap();
    let second = draft(&bench.log, account, None, &changed).await;
    bench.log.append(second, &change_profile("二")).await.unwrap();
    let again = bench.log.append(first, &change_profile("一")).await.unwrap();
    assert!(matches!(again, Appended::Recorded(_)), "{again:?}");
    assert_eq!(bench.app.show(LOGIN).await.unwrap().row.name, "二");
}

/// Also if somebody has moved the person to a third facility since then.
#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_is_recorded_already_is_no_mistake() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let changed: AccountEvent = ProfileChanged::default().into();
    let transfer = |from: &str, to: &str| Via::Function {
        name: "credentials.change_profile",
        arguments: [from, to, "見本病院", "登録 花子"]
            .map(|text| Argument::Text(text.to_owned()))
            .to_vec()
            .into(),
        grouped: false,
    };
    let first = draft(&bench.log, account, None, &changed).await;
    let there = transfer("0450000", "0460000");
    bench.log.append(first.clone(), &there).await.unwrap();
    let second = draft(&bench.log, account, None, &changed).await;
    bench
        .log
        .append(second, &transfer("0460000", "0470000"))
        .await
        .unwrap();
    let again = bench.log.append(first, &there).await;
    assert!(matches!(again, Ok(Appended::Recorded(_))), "{again:?}");
    assert_eq!(bench.app.show(LOGIN).await.unwrap().row.facility_code, "0470000");
}

/// What is renamed was read while the person was still at the old facility.
#[tokio::test(flavor = "multi_thread")]
async fn a_rename_undoes_no_transfer_that_came_meanwhile() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let changed: AccountEvent = ProfileChanged::default().into();
    let moved = Via::Function {
        name: "credentials.change_profile",
        arguments: ["0450000", "0460000", "見本病院", "登録 花子"]
            .map(|text| Argument::Text(text.to_owned()))
            .to_vec()
            .into(),
        grouped: false,
    };
    let transfer = draft(&bench.log, account, None, &changed).await;
    bench.log.append(transfer, &moved).await.unwrap();
    let rename = draft(&bench.log, account, None, &changed).await;
    let outcome = bench.log.append(rename, &change_profile("登録 華子")).await;
    assert!(outcome.is_err(), "{outcome:?}");
    let row = bench.app.show(LOGIN).await.unwrap().row;
    assert_eq!([row.facility_code, row.name], ["0460000", "登録 花子"]);
    assert_eq!(bench.account_entries().await.len(), 2);
}

/// Somebody changes the address at the same time: the former one is written after the erasure has looked for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_waits_for_whoever_changes_the_address_and_leaves_nothing() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let mut holder = PgConnection::connect(&bench.database.url("postgres"))
        .await
        .unwrap();
    let hold = format!(
        "begin;
        select from credentials.account where account_id = '{account}' for update;
        insert into credentials.former_address values (1000, '{account}', '{ADDRESS}', now())"
    );
    holder.execute(sqlx::raw_sql(AssertSqlSafe(hold))).await.unwrap();
    let app = bench.app.clone();
    let erasure = tokio::spawn(async move { app.erase(LOGIN, ACTOR).await });
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock';";
    eventually("the erasure to wait for the account", async || {
        (bench.sql(waits) == "1").then_some(())
    })
    .await;
    holder.execute("commit").await.unwrap();
    erasure.await.unwrap().unwrap();
    assert_eq!(remains(&bench).trim(), "");
}

/// C-30.
#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_installation_has_no_account() {
    let bench = Bench::new().await;
    assert_eq!(remains(&bench).trim(), "");
    for login in [
        "admin",
        "administrator",
        "root",
        "gtol",
        "test",
        "00000000",
        "04500001",
    ] {
        let outcome = bench.sign_in(login, login).await;
        assert_eq!(outcome, Outcome::Denied(Denied::UnknownAccount), "{login}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_listed_by_facility_and_page() {
    let bench = Bench::new().await;
    let phc = hash_of(PASSWORD, 64);
    for (login, code) in [("0003", "a"), ("0001", "b"), ("0002", "a"), ("0004", "a")] {
        let mut registered = registration(login, ADDRESS, &phc);
        registered.profile = Profile::read(code.to_owned(), "f".to_owned(), "n".to_owned(), "").unwrap();
        bench.app.register(registered, ACTOR).await.unwrap();
    }
    bench.app.disable("0002", ACTOR).await.unwrap();
    let listed = async |facility: &str, after: &str, limit| -> Vec<String> {
        let page = Page {
            facility_code: facility.to_owned(),
            after: after.to_owned(),
            limit,
        };
        let accounts = bench.app.list(page).await.unwrap();
        accounts
            .iter()
            .map(|account| {
                format!(
                    "{}{}",
                    account.row.login_id,
                    if account.disabled { "-" } else { "" }
                )
            })
            .collect()
    };
    assert_eq!(listed("", "", 500).await, ["0001", "0002-", "0003", "0004"]);
    assert_eq!(listed("a", "", 2).await, ["0002-", "0003"]);
    assert_eq!(listed("a", "0003", 2).await, ["0004"]);
    assert_eq!(listed("a", "", 0).await.len(), 1);
    assert!(listed("c", "", 500).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_what_keeps_somebody_out() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let fresh = bench.app.show("０４５００００１").await.unwrap();
    assert_eq!(
        (
            fresh.account,
            fresh.last_accepted_at,
            fresh.failures,
            fresh.known_devices
        ),
        (account, None, 0, 0)
    );
    bench.sign_in_with(1, LOGIN, PASSWORD).await;
    bench.guess(LOGIN, 1..=10).await;
    let locked = bench.app.show(LOGIN).await.unwrap();
    assert!(locked.last_accepted_at.is_some());
    assert_eq!((locked.failures, locked.known_devices), (10, 1));
    let [lock] = locked.locks[..] else {
        panic!("{:?}", locked.locks)
    };
    assert_eq!(lock.what, Locked::UnknownBrowsers);
    assert!(lock.until.is_some());
    for number in 0..10 {
        bench.sign_in_with(1, LOGIN, &format!("typo {number}")).await;
    }
    let wrong_code = CodeRejected {
        purpose: Purpose::SignIn.into(),
        in_a_row: 50,
        closes: true,
        ..CodeRejected::default()
    };
    let flow = FlowId::mint(bench.log.head());
    bench.as_otp(account, flow, wrong_code.into()).await;
    let locks = bench.app.show(LOGIN).await.unwrap().locks;
    let what: Vec<_> = locks
        .iter()
        .map(|lock| (lock.what, lock.until.is_some()))
        .collect();
    let expected = [
        (Locked::UnknownBrowsers, true),
        (Locked::KnownBrowser, true),
        (Locked::SignInCodes, false),
    ];
    assert_eq!(what, expected);
    bench.app.unlock(LOGIN, ACTOR).await.unwrap();
    assert!(bench.app.show(LOGIN).await.unwrap().locks.is_empty());
    // What another stream has cut is known no more.
    bench.as_sessions(account, None, SessionsCut {}.into()).await;
    let cut = bench.app.show(LOGIN).await.unwrap();
    assert_eq!((cut.known_devices, cut.last_started_at), (0, None));
    let started = SessionStarted::default();
    bench.as_sessions(account, Some(flow), started.into()).await;
    assert!(bench.app.show(LOGIN).await.unwrap().last_started_at.is_some());
    assert!(!format!("{:?}", locked.row).contains("登録"));
    let nobody = bench.app.show("04500009").await.map(|shown| shown.account);
    assert!(matches!(nobody, Err(Error::AccountUnknown)), "{nobody:?}");
}
