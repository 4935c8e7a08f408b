//! C-27 and C-29: nobody tells from the time of a denial or of a reset what it is for.

use std::time::{Duration, Instant};

use anyhow::Result;
use sekisho_dev::{Stack, StackOptions};
use sekisho_proto::credentials::v1::DisableAccountRequest;
use sekisho_tests::LOGIN;
use sekisho_tests::accounts::administration;
use sekisho_tests::flow::{Gateway, random};

/// Of the Kolmogorov–Smirnov test for two samples at p = 0.01: the largest distance is this times √((n + m) / nm).
const CRITICAL: f64 = 1.628;

fn sorted(sample: &[Duration]) -> Vec<Duration> {
    let mut times = sample.to_vec();
    times.sort();
    times
}

/// The largest distance between the distributions of two samples.
fn distance(one: &[Duration], other: &[Duration]) -> f64 {
    let (one, other) = (sorted(one), sorted(other));
    let below = |sample: &[Duration], bound: Duration| {
        let count = sample.partition_point(|time| *time <= bound);
        ratio(count, sample.len())
    };
    let all = one.iter().chain(&other);
    all.map(|bound| (below(&one, *bound) - below(&other, *bound)).abs())
        .fold(0.0, f64::max)
}

fn ratio(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(part) / number(whole)
}

fn median(sample: &[Duration]) -> Duration {
    sorted(sample)[sample.len() / 2]
}

#[test]
fn two_samples_of_different_distributions_are_told_apart() {
    let sample = |add: u64| -> Vec<Duration> {
        (0..2_000_u64)
            .map(|number| Duration::from_micros((number * 7_919) % 1_000 + add))
            .collect()
    };
    let limit = CRITICAL * (2.0_f64 / 2_000.0).sqrt();
    assert!(distance(&sample(0), &sample(0)) < limit);
    assert!(distance(&sample(0), &sample(100)) > limit);
    assert_eq!(median(&sample(0)), Duration::from_micros(500));
}

mod long_statistics {
    use sekisho_proto::credentials::v1::verify_password_response::{Outcome, Reason};
    use sekisho_proto::credentials::v1::{ImportAccountsRequest, ImportRow};

    use super::*;

    /// Samples of each kind.
    const SAMPLES: usize = 2_000;
    /// Rows of one call that fit into it.
    const ROWS: usize = 100;
    /// For accounts whose password nobody types.
    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c2VraXNoby90ZXN0LzE$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    /// So many accounts, with an address or without; their login ids.
    async fn register(stack: &Stack, series: usize, has_address: bool) -> Result<Vec<String>> {
        let mut administration = administration(stack).await?;
        let logins: Vec<String> = (0..SAMPLES)
            .map(|number| format!("{series}{number:07}"))
            .collect();
        let row = |login: &String| ImportRow {
            login_id: login.clone(),
            facility_code: "045000".to_owned(),
            facility: "架空がんセンター".to_owned(),
            name: "見本".to_owned(),
            address: if has_address {
                format!("p{login}@example.com")
            } else {
                String::new()
            },
            password_hash: HASH.to_owned(),
            ..ImportRow::default()
        };
        for some in logins.chunks(ROWS) {
            let rows = some.iter().map(row).collect();
            let request = ImportAccountsRequest { rows, dry_run: false };
            let answer = administration.import_accounts(request).await?.into_inner();
            assert!(answer.rows.iter().all(|row| row.refusal.is_empty()));
        }
        Ok(logins)
    }

    /// A stack in which 04500002 is disabled, and who calls there from no address.
    async fn one_is_disabled(name: &str) -> Result<(Stack, Gateway)> {
        let options = StackOptions {
            name: name.to_owned(),
            ..StackOptions::default()
        };
        let stack = tokio::task::block_in_place(|| Stack::start(&options))?;
        let disable = DisableAccountRequest {
            login_id: "04500002".to_owned(),
        };
        administration(&stack).await?.disable_account(disable).await?;
        let mut gateway = Gateway::connect(&stack, 0).await?;
        // Whoever has no address is not counted: what is asked here is another limit.
        gateway.client = None;
        Ok((stack, gateway))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "long tier: a quarter of an hour"]
    async fn wrong_unknown_locked_and_disabled_take_the_same_time() -> Result<()> {
        let (_stack, mut gateway) = one_is_disabled("denials").await?;
        for number in 0..10 {
            gateway
                .verify_password("13100001", &format!("wrong {number}"), &random())
                .await?;
        }
        let mut lists = [(); 4].map(|()| Vec::with_capacity(SAMPLES));
        for number in 0..SAMPLES {
            // One after the other, so that whatever else the machine does meets all of them alike. The same wrong one each
            // time locks nobody; an id of 8 digits that nobody has, a new one each time; a lock takes new ones and the same
            // alike; the disabled account's is right.
            let unknown = format!("99{number:06}");
            let another = format!("another {number}");
            let attempts = [
                (LOGIN, "wrong", Reason::WrongPassword),
                (unknown.as_str(), "wrong", Reason::UnknownAccount),
                ("13100001", another.as_str(), Reason::Locked),
                ("04500002", sekisho_tests::PASSWORD, Reason::Disabled),
            ];
            for ((login, password, reason), times) in attempts.into_iter().zip(&mut lists) {
                let begun = Instant::now();
                let answer = gateway.verify_password(login, password, &random()).await?;
                let took = begun.elapsed();
                match answer.outcome {
                    Some(Outcome::Rejected(rejected)) if rejected.reason() == reason => times.push(took),
                    // A lock ends, and the next wrong one locks again.
                    _ if reason == Reason::Locked => {}
                    other => panic!("{other:?} in place of {reason:?}"),
                }
            }
            if number % 40 == 39 {
                gateway.accept_password(LOGIN, sekisho_tests::PASSWORD).await?;
            }
        }
        compare(&lists);
        Ok(())
    }

    /// C-29: a reset and its first code, for whoever has an account and gets a mail, has no account, no address, is disabled or has had
    /// too many mails.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "long tier: an hour"]
    async fn a_reset_takes_the_same_time_whoever_it_is_for() -> Result<()> {
        let (stack, mut gateway) = one_is_disabled("denials-of-resets").await?;
        let mailed = register(&stack, 1, true).await?;
        let without_address = register(&stack, 2, false).await?;
        let mut lists = [(); 5].map(|()| Vec::with_capacity(SAMPLES));
        for (number, (mailed, without_address)) in mailed.iter().zip(&without_address).enumerate() {
            let unknown = format!("99{number:06}");
            // After the first three of each hour the mails of the last two are withheld.
            let logins = [mailed, &unknown, without_address, "04500002", LOGIN];
            for (login, times) in logins.into_iter().zip(&mut lists) {
                let begun = Instant::now();
                let flow = gateway.request_reset(login).await?;
                gateway.issue_code(&flow).await?;
                times.push(begun.elapsed());
            }
        }
        compare(&lists);
        Ok(())
    }

    fn compare(lists: &[Vec<Duration>]) {
        for (one, first) in lists.iter().enumerate() {
            println!("{one}: median {:?}", median(first));
            for (other, second) in lists.iter().enumerate().skip(one + 1) {
                let found = distance(first, second);
                let (ours, theirs) = (first.len(), second.len());
                assert!(ours.min(theirs) > SAMPLES / 2, "{ours} and {theirs} samples");
                let limit = CRITICAL * ratio(ours + theirs, ours * theirs).sqrt();
                let apart = median(first).abs_diff(median(second));
                println!(
                    "{one} and {other}: distance {found:.4}, at most {limit:.4}; medians {apart:?} apart"
                );
                assert!(apart < Duration::from_millis(10), "{one} {other}");
                assert!(found < limit, "{one} {other}");
            }
        }
    }
}
