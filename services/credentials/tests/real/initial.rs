//! Passwords that were distributed.

use sekisho_credentials::app::{Denied, Outcome, PasswordChange, Registration};
use sekisho_credentials::domain::{InitialPasswords, Rules};
use sekisho_eventlog::FlowId;
use sekisho_proto::otp::v1::Purpose;
use sekisho_service::entropy;
use sekisho_service::settings::Secret;

use crate::support::{ACTOR, ADDRESS, Bench, LOGIN, PASSWORD, SECRET, hash_of, registration};

const NEW: &str = "a new password of more than fifteen";

async fn distributed(rules: InitialPasswords, address: &str) -> Bench {
    let bench = Bench::with_rules(Rules {
        initial_passwords: rules,
        ..Rules::default()
    })
    .await;
    let distributed = Registration {
        password_is_initial: true,
        ..registration(LOGIN, address, &hash_of(PASSWORD, 19_456))
    };
    bench.app.register(distributed, ACTOR).await.unwrap();
    bench
}

fn must_change() -> InitialPasswords {
    InitialPasswords {
        must_change: true,
        life: None,
    }
}

fn flow_of(outcome: Outcome) -> FlowId {
    match outcome {
        Outcome::MustChange(flow) => flow,
        other => panic!("{other:?}"),
    }
}

/// C-14.
#[tokio::test(flavor = "multi_thread")]
async fn a_distributed_password_opens_the_choice_of_another_one_and_nothing_else() {
    let bench = distributed(must_change(), ADDRESS).await;
    let account = bench.found(LOGIN).await.account;
    flow_of(bench.sign_in(LOGIN, PASSWORD).await);
    // As often as it is typed, until another one is chosen.
    let flow = flow_of(bench.sign_in(LOGIN, PASSWORD).await);
    let wrong = bench.sign_in(LOGIN, "wrong").await;
    assert_eq!(wrong, Outcome::Denied(Denied::WrongPassword));

    bench.verify_code(account, flow, Purpose::Reset).await;
    let change = PasswordChange {
        flow,
        secret: Secret::new(SECRET.to_vec()),
        new_password: Secret::new(NEW.to_owned()),
        command: entropy::bytes().into(),
        device: None,
    };
    bench.app.set_password(change).await.unwrap();
    let gone = bench.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(gone, Outcome::Denied(Denied::WrongPassword));
    let signed_in = bench.sign_in(LOGIN, NEW).await;
    assert!(matches!(signed_in, Outcome::Accepted(_)), "{signed_in:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distributed_password_without_an_address_is_answered_like_any_other() {
    let bench = distributed(must_change(), "").await;
    assert_eq!(
        bench.sign_in(LOGIN, PASSWORD).await,
        Outcome::Denied(Denied::NoEmail)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distributed_password_signs_in_until_its_life_is_over() {
    let life = InitialPasswords {
        must_change: false,
        life: Some(std::time::Duration::from_hours(24 * 30)),
    };
    let bench = distributed(life, ADDRESS).await;
    let signed_in = bench.sign_in(LOGIN, PASSWORD).await;
    assert!(matches!(signed_in, Outcome::Accepted(_)), "{signed_in:?}");
    bench.shift_clock("clock_timestamp() + interval '30 days'").await;
    bench.log.confirm_head().await.unwrap();
    flow_of(bench.sign_in(LOGIN, PASSWORD).await);
}
