//! The functions that change a table and append in one.

use std::sync::Arc;

use sekisho_credentials::hashing::Phc;
use sekisho_eventlog::{AppendError, Argument, Draft, EventId, Outcome, StreamId, Version, Via};
use sekisho_proto::credentials::v1::{AccountDisabled, AccountRegistered, PasswordChanged};
use sekisho_proto::events::AccountEvent;
use sqlx::{AssertSqlSafe, Connection as _, Executor, PgConnection, Row};
use uuid::Uuid;

use crate::support::{
    Bench, LOGIN, bytes_in_sql, call_set_password, draft, eventually, hash_without_password, in_sql, opened,
    sealed,
};

const ROWS: &str = "select (select count(*) from credentials.account), (select count(*) from credentials.password), \
    (select count(*) from credentials.personal_key), (select count(*) from log.entry);";

fn registered() -> AccountEvent {
    AccountRegistered::default().into()
}

fn changed() -> AccountEvent {
    PasswordChanged::default().into()
}

fn register_account(login: &str) -> Via {
    let text = |text: &str| Argument::Text(text.to_owned());
    Via::Function {
        name: "credentials.register_account",
        arguments: Arc::new([
            text(login),
            text("0450000"),
            text("facility"),
            text("name"),
            text(""),
            text("form"),
            text("2026-03"),
            Argument::Bytes(vec![1, 2, 3]),
            text("2026-03"),
            Argument::Bytes(vec![1, 2, 3]),
        ]),
        grouped: false,
    }
}

fn set_password(account: StreamId, phc: &Phc) -> Via {
    let hash = sealed(account, phc);
    Via::Function {
        name: "credentials.set_password",
        arguments: Arc::new([
            Argument::Text(hash.form),
            Argument::Text(hash.pepper_id),
            Argument::Bytes(hash.sealed),
        ]),
        grouped: false,
    }
}

/// Drafts that the log does not take, each for another reason.
fn refused(good: &Draft, past: time::OffsetDateTime) -> [(&'static str, Draft); 5] {
    let large = vec![0; 9_000];
    let mut too_large = good.clone();
    too_large.payload.event = large;
    [
        (
            "conflict",
            Draft {
                expected: Version(good.expected.0 + 1),
                ..good.clone()
            },
        ),
        (
            "expired",
            Draft {
                not_after: Some(past),
                ..good.clone()
            },
        ),
        ("too large", too_large),
        (
            "of another kind",
            Draft {
                kind: sekisho_proto::Kind::Code,
                ..good.clone()
            },
        ),
        (
            "another event",
            Draft {
                event_type: "account_disabled",
                ..good.clone()
            },
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_registration_leaves_every_table_unchanged() {
    let bench = Bench::new().await;
    let stream = StreamId(Uuid::from_u128(1));
    let good = draft(&bench.log, stream, None, &registered()).await;
    let past = bench.log.now() - time::Duration::seconds(1);
    for (why, draft) in refused(&good, past) {
        let outcome = bench.log.append(draft, &register_account(LOGIN)).await;
        assert!(!matches!(outcome, Ok(Outcome::Recorded(_))), "{why}: {outcome:?}");
        assert_eq!(bench.sql(ROWS), "0|0|0|0", "{why}");
    }
    let outcome = bench.log.append(good, &register_account(LOGIN)).await;
    assert!(matches!(outcome, Ok(Outcome::Recorded(_))), "{outcome:?}");
    assert_eq!(bench.sql(ROWS), "1|1|1|1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_id_is_registered_once() {
    let bench = Bench::new().await;
    let first = draft(&bench.log, StreamId(Uuid::from_u128(1)), None, &registered()).await;
    let second = draft(&bench.log, StreamId(Uuid::from_u128(2)), None, &registered()).await;
    bench
        .log
        .append(first.clone(), &register_account(LOGIN))
        .await
        .unwrap();
    let outcome = bench.log.append(second, &register_account(LOGIN)).await;
    assert_eq!(outcome, Err(AppendError::Refused));
    assert_eq!(bench.sql(ROWS), "1|1|1|1");
    // The first once more, as after a lost answer.
    let outcome = bench.log.append(first, &register_account(LOGIN)).await;
    assert!(matches!(outcome, Ok(Outcome::Recorded(_))), "{outcome:?}");
    assert_eq!(bench.sql(ROWS), "1|1|1|1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_change_leaves_the_hash_unchanged() {
    let bench = Bench::new().await;
    let account = bench.register_as(LOGIN, "", &hash_without_password(1)).await;
    let before = bench.found(LOGIN).await.password;
    let good = draft(&bench.log, account, None, &changed()).await;
    let past = bench.log.now() - time::Duration::seconds(1);
    for (why, draft) in refused(&good, past) {
        let outcome = bench
            .log
            .append(draft, &set_password(account, &hash_without_password(2)))
            .await;
        assert!(!matches!(outcome, Ok(Outcome::Recorded(_))), "{why}: {outcome:?}");
        assert_eq!(bench.found(LOGIN).await.password, before, "{why}");
    }
    assert_eq!(bench.account_entries().await.len(), 1);
    bench
        .log
        .append(good, &set_password(account, &hash_without_password(3)))
        .await
        .unwrap();
    let after = bench.found(LOGIN).await.password;
    let after = (after.set_by, opened(account, &after));
    assert_eq!(after, (Version(2), hash_without_password(3)));
}

/// `rehash` may be called in a transaction that somebody leaves open.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_row_that_somebody_holds_holds_up_nobody_else() {
    let bench = Bench::new().await;
    let phc = hash_without_password(1);
    let account = bench.register_as(LOGIN, "", &phc).await;
    let url = bench.database.url("credentials");
    let mut holder = PgConnection::connect(&url).await.unwrap();
    let hash = bench.found(LOGIN).await.password.hash;
    let hold = format!(
        "set idle_in_transaction_session_timeout = 0; begin; select credentials.rehash('{account}', 1, {}, {})",
        bytes_in_sql(&hash.sealed),
        in_sql(&hash)
    );
    holder.execute(sqlx::raw_sql(AssertSqlSafe(hold))).await.unwrap();
    let waiting = draft(&bench.log, account, None, &changed()).await;
    let log = bench.log.clone();
    let change = tokio::spawn(async move {
        let via = set_password(account, &hash_without_password(2));
        log.append(waiting, &via).await
    });
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock';";
    eventually("the change to wait for the row", async || {
        (bench.sql(waits) == "1").then_some(())
    })
    .await;
    let other = draft(&bench.log, StreamId(Uuid::from_u128(9)), None, &changed()).await;
    let outcome = bench.log.append(other, &Via::Append).await;
    assert!(matches!(outcome, Ok(Outcome::Recorded(_))), "{outcome:?}");
    assert_eq!(bench.sql(waits), "1", "the change has stopped waiting before");
    drop(holder);
    drop(change.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_change_without_a_password_is_no_event() {
    let bench = Bench::new().await;
    let account = StreamId(Uuid::from_u128(9));
    let draft = draft(&bench.log, account, None, &changed()).await;
    let outcome = bench
        .log
        .append(draft, &set_password(account, &hash_without_password(1)))
        .await;
    assert_eq!(outcome, Err(AppendError::Refused));
    assert_eq!(bench.sql(ROWS), "0|0|0|0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_is_recorded_already_leaves_the_hash_alone() {
    let bench = Bench::new().await;
    let account = bench.register_as(LOGIN, "", &hash_without_password(1)).await;
    let pool = sqlx::PgPool::connect(&bench.database.url("credentials"))
        .await
        .unwrap();
    let set = async |before: u64, event: u128, hash: u32| -> String {
        let event_id = EventId(Uuid::from_u128(event));
        let call = call_set_password(account, Version(before), event_id, &hash_without_password(hash));
        let row = pool.fetch_one(sqlx::raw_sql(AssertSqlSafe(call))).await.unwrap();
        row.get(0)
    };
    let stands = async |version: u64, hash: u32| {
        let password = bench.found(LOGIN).await.password;
        assert_eq!(
            (password.set_by, opened(account, &password)),
            (Version(version), hash_without_password(hash))
        );
    };

    assert_eq!(set(1, 1, 2).await, "appended");
    // Submitted again, as after a lost answer.
    assert_eq!(set(1, 1, 3).await, "already");
    stands(2, 2).await;

    assert_eq!(set(2, 2, 4).await, "appended");
    assert_eq!(set(1, 1, 5).await, "already");
    stands(3, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_password_changes_at_one_version_one_stands_with_its_hash() {
    let bench = Bench::new().await;
    let account = bench.register_as(LOGIN, "", &hash_without_password(1)).await;
    let one = draft(&bench.log, account, None, &changed()).await;
    let other = Draft {
        event_id: EventId::new(bench.log.now()),
        ..one.clone()
    };
    let (two, three) = (
        set_password(account, &hash_without_password(2)),
        set_password(account, &hash_without_password(3)),
    );
    let (first, second) = tokio::join!(bench.log.append(one, &two), bench.log.append(other, &three));
    let winner = match (first.unwrap(), second.unwrap()) {
        (Outcome::Recorded(_), Outcome::Conflict) => 2,
        (Outcome::Conflict, Outcome::Recorded(_)) => 3,
        both => panic!("{both:?}"),
    };
    assert_eq!(bench.phc(LOGIN).await, hash_without_password(winner));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_writes_the_tables_itself_and_only_credentials_reads_them() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let writes = [
        format!(
            "insert into credentials.account values ('{}', 'x', '', '', '', '')",
            Uuid::from_u128(3)
        ),
        "update credentials.password set form = ''".to_owned(),
        "delete from credentials.personal_key".to_owned(),
        "truncate credentials.account cascade".to_owned(),
        "alter table credentials.account add column x int".to_owned(),
        "create table credentials.x (x int)".to_owned(),
    ];
    let calls = [
        format!("select credentials.rehash('{account}', 1, '', '', '', '')"),
        format!("select credentials.remember_wrong_password('{account}', 1, now())"),
    ];
    for role in ["credentials", "otp", "sessions", "audit", "reader"] {
        let pool = sqlx::PgPool::connect(&bench.database.url(role)).await.unwrap();
        for write in &writes {
            assert_eq!(
                refusal(&pool, write).await.as_deref(),
                Some("42501"),
                "{role}: {write}"
            );
        }
        let may = role == "credentials";
        for read in ["account", "password", "personal_key", "wrong_password"] {
            let refused = refusal(&pool, &format!("select from credentials.{read}")).await;
            assert_eq!(refused.is_none(), may, "{role}: {read}");
        }
        for call in &calls {
            assert_eq!(refusal(&pool, call).await.is_none(), may, "{role}: {call}");
        }
    }
}

/// The SQLSTATE with which a statement is refused.
async fn refusal(pool: &sqlx::PgPool, statement: &str) -> Option<String> {
    let error = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(pool)
        .await
        .err()?;
    Some(error.as_database_error()?.code()?.into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_combined_function_takes_no_event_but_its_own() {
    let bench = Bench::new().await;
    let account = bench.register_as(LOGIN, "", &hash_without_password(1)).await;
    let disabled = AccountEvent::from(AccountDisabled {});
    let draft = draft(&bench.log, account, None, &disabled).await;
    let outcome = bench
        .log
        .append(draft, &set_password(account, &hash_without_password(2)))
        .await;
    assert_eq!(outcome, Err(AppendError::Refused));
    assert_eq!(bench.phc(LOGIN).await, hash_without_password(1));
}
