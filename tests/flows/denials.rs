//! C-27: nobody tells from the time of a denial what it is for.

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
    use super::*;

    /// Samples of each kind.
    const SAMPLES: usize = 2_000;

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
                (LOGIN, "wrong"),
                (unknown.as_str(), "wrong"),
                ("13100001", another.as_str()),
                ("04500002", sekisho_tests::PASSWORD),
            ];
            for ((login, password), times) in attempts.into_iter().zip(&mut lists) {
                let begun = Instant::now();
                gateway.verify_password(login, password, &random()).await?;
                times.push(begun.elapsed());
            }
            if number % 40 == 39 {
                gateway.accept_password(LOGIN, sekisho_tests::PASSWORD).await?;
            }
        }
        compare(&lists);
        Ok(())
    }

    /// C-29: a reset and its first code, for whoever has an account, has none, is disabled or has had too many mails.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "long tier: half an hour"]
    async fn a_reset_takes_the_same_time_whoever_it_is_for() -> Result<()> {
        let (_stack, mut gateway) = one_is_disabled("denials-of-resets").await?;
        let mut lists = [(); 3].map(|()| Vec::with_capacity(SAMPLES));
        for number in 0..SAMPLES {
            // After the first three of each hour the mails of all of them are withheld, those of a new id never.
            let unknown = format!("99{number:06}");
            for (login, times) in [LOGIN, unknown.as_str(), "04500002"].into_iter().zip(&mut lists) {
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
        let limit = CRITICAL * ratio(2, SAMPLES).sqrt();
        for (one, first) in lists.iter().enumerate() {
            println!("{one}: median {:?}", median(first));
            for (other, second) in lists.iter().enumerate().skip(one + 1) {
                let found = distance(first, second);
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
