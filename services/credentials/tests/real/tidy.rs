//! What has had its time.

use sekisho_credentials::app::{Error, Outcome, PasswordChange, ResetRequest};
use sekisho_credentials::domain::Address;
use sekisho_credentials::hashing::Pepper;
use sekisho_credentials::sealing::{PersonalKey, Seen};
use sekisho_evidence::secret_digest;
use sekisho_proto::otp::v1::Purpose;
use sekisho_service::entropy;
use sekisho_service::settings::Secret;

use crate::support::{ACTOR, ADDRESS, Bench, LOGIN, PASSWORD, SECRET, attempt, ring, ring_of};

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_days_and_former_addresses_are_forgotten_in_a_round() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.accepted().await;
    let to = Address::try_from("new@example.com").unwrap();
    bench.app.change_address(LOGIN, Some(to), ACTOR).await.unwrap();
    let kept = || {
        let count = |table: &str| bench.sql(&format!("select count(*) from credentials.{table};"));
        [count("day_key"), count("former_address")]
    };
    bench.app.tidy_once().await;
    assert_eq!(kept(), ["1", "1"]);
    bench.shift_clock("clock_timestamp() + interval '3 days'").await;
    bench.app.tidy_once().await;
    assert_eq!(kept(), ["0", "0"]);
}

/// A line is added on top of both files; after a round the old one may go. Nobody has to sign in for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_on_an_old_key_is_sealed_anew_and_the_key_may_go() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    bench.accepted().await;
    let both = bench
        .with_keys(
            ring_of(&[("2026-04", 21), ("2026-03", 1)]),
            Pepper::new(ring_of(&[("2026-04", 23), ("2026-03", 3)])),
        )
        .await;
    assert!(both.tidy_once().await);
    let used = "select pepper_id from credentials.password union all select master_id from credentials.personal_key;";
    assert_eq!(
        bench.sql(used).split_whitespace().collect::<Vec<_>>(),
        ["2026-04", "2026-04"]
    );

    let masters = ring("2026-04", 21);
    // The key of the day hangs on the old line until its day is over.
    bench.shift_clock("clock_timestamp() + interval '3 days'").await;
    let new = bench
        .with_keys(masters.clone(), Pepper::new(ring("2026-04", 23)))
        .await;
    assert!(new.tidy_once().await);
    let outcome = new.verify_password(attempt(LOGIN, PASSWORD)).await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    let wrapped = bench.found(LOGIN).await.key;
    assert!(PersonalKey::unwrap(&masters, account, &wrapped).is_ok());
}

/// The steps of a change, each with the replicas before and after their restart: first every replica can read the new line, then
/// it seals, and the old one goes when nothing hangs on it.
#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_at_every_step_of_a_change_of_keys() {
    const OLD: (&str, u8) = ("2026-03", 1);
    const NEW: (&str, u8) = ("2026-04", 21);
    let bench = Bench::new().await;
    bench.register().await;
    let steps: [[&[(&str, u8)]; 2]; 3] = [
        [&[OLD], &[OLD, NEW]],
        [&[OLD, NEW], &[NEW, OLD]],
        [&[NEW, OLD], &[NEW]],
    ];
    for ([before, after], days) in steps.into_iter().zip([3, 6, 9]) {
        let mut replicas = Vec::new();
        for lines in [before, after] {
            // The bench's pepper has a key of its own beside the same id.
            let peppers: Vec<_> = lines.iter().map(|(id, key)| (*id, key + 2)).collect();
            let pepper = Pepper::new(ring_of(&peppers));
            replicas.push(bench.with_keys(ring_of(lines), pepper).await);
        }
        for (first, second) in [(0, 1), (1, 0)] {
            replicas[first].tidy_once().await;
            for replica in [first, second] {
                let outcome = replicas[replica].verify_password(attempt(LOGIN, PASSWORD)).await;
                assert!(
                    matches!(outcome, Ok(Outcome::Accepted(_))),
                    "{before:?}, {replica}: {outcome:?}"
                );
            }
        }
        // The last word has whoever is not restarted any more; the keys of days go with their day.
        assert!(replicas[1].tidy_once().await);
        bench
            .shift_clock(&format!("clock_timestamp() + interval '{days} days'"))
            .await;
        replicas[1].tidy_once().await;
    }
}

/// Somebody has put a row back from an old backup, or a line was taken away too early.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_open_keeps_nothing_else_on_its_old_line_and_is_not_forgotten() {
    let bench = Bench::new().await;
    for login in ["04500001", "04500002", "04500003"] {
        bench
            .register_as(login, ADDRESS, &crate::support::hash_of(PASSWORD, 19_456))
            .await;
    }
    let lost = "where account_id = (select min(account_id::text)::uuid from credentials.account)";
    bench.sql(&format!(
        "update credentials.password set pepper_id = 'lost' {lost}; update credentials.personal_key set wrapped = '\\x00' {lost};"
    ));
    let new = bench
        .with_keys(
            ring_of(&[("2026-04", 21), ("2026-03", 1)]),
            Pepper::new(ring_of(&[("2026-04", 23), ("2026-03", 3)])),
        )
        .await;
    assert!(!new.tidy_once().await);
    let used = "select pepper_id, count(*) from credentials.password group by 1 order by 1;
        select master_id, count(*) from credentials.personal_key group by 1 order by 1;";
    let used = bench.sql(used);
    assert_eq!(
        used.split_whitespace().collect::<Vec<_>>(),
        ["2026-04|2", "lost|1", "2026-03|1", "2026-04|2"]
    );
}

/// Whoever has lost the pepper lets people set new passwords.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_needs_no_pepper() {
    let bench = Bench::new().await;
    bench.register().await;
    let lost = bench
        .with_keys(bench.masters.clone(), Pepper::new(ring("2026-05", 33)))
        .await;
    let refused = lost.verify_password(attempt(LOGIN, PASSWORD)).await.unwrap_err();
    assert!(matches!(refused, Error::Broken(_)), "{refused:?}");
    let request = ResetRequest {
        login_id: LOGIN.to_owned(),
        secret_digest: secret_digest(SECRET),
        device: None,
        seen: Seen::default(),
    };
    let flow = lost.request_reset(request).await.unwrap();
    let account = bench.found(LOGIN).await.account;
    bench.verify_code(account, flow, Purpose::Reset).await;
    let new_password = "a new password of more than fifteen";
    let change = PasswordChange {
        flow,
        secret: Secret::new(SECRET.to_vec()),
        new_password: Secret::new(new_password.to_owned()),
        command: entropy::bytes().into(),
        device: None,
    };
    lost.set_password(change).await.unwrap();
    let outcome = lost.verify_password(attempt(LOGIN, new_password)).await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

/// Else a restart with the old file first would do the work backwards for ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_under_the_keys_of_today_stays_as_it_is() {
    let bench = Bench::new().await;
    bench
        .register_as(LOGIN, ADDRESS, &crate::support::hash_of(PASSWORD, 19_456))
        .await;
    let before = crate::support::dump(&bench);
    bench.app.tidy_once().await;
    assert_eq!(crate::support::dump(&bench), before);
}
