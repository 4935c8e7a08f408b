//! Passwords that were distributed.

use sekisho_credentials::app::{Attempt, Denied, Error, Outcome, PasswordChange, Registration};
use sekisho_credentials::domain::{InitialPasswords, PasswordError, Rules};
use sekisho_eventlog::FlowId;
use sekisho_proto::otp::v1::Purpose;
use sekisho_service::entropy;
use sekisho_service::settings::Secret;

use crate::support::{ACTOR, ADDRESS, Bench, LOGIN, SECRET, attempt, hash_of, registration};

const DISTRIBUTED: &str = "distributed on paper, long enough";
const NEW: &str = "a new password of more than fifteen";

async fn distributed(rules: InitialPasswords, address: &str) -> Bench {
    let bench = Bench::with_rules(Rules {
        initial_passwords: rules,
        ..Rules::default()
    })
    .await;
    let distributed = Registration {
        password_is_initial: true,
        ..registration(LOGIN, address, &hash_of(DISTRIBUTED, 19_456))
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

fn change(flow: FlowId, new_password: &str) -> PasswordChange {
    PasswordChange {
        flow,
        secret: Secret::new(SECRET.to_vec()),
        new_password: Secret::new(new_password.to_owned()),
        command: entropy::bytes().into(),
        device: None,
    }
}

/// C-14.
#[tokio::test(flavor = "multi_thread")]
async fn a_distributed_password_opens_the_choice_of_another_one_and_nothing_else() {
    let bench = distributed(must_change(), ADDRESS).await;
    let account = bench.found(LOGIN).await.account;
    flow_of(bench.sign_in(LOGIN, DISTRIBUTED).await);
    // As often as it is typed, until another one is chosen.
    let flow = flow_of(bench.sign_in(LOGIN, DISTRIBUTED).await);
    let wrong = bench.sign_in(LOGIN, "wrong").await;
    assert_eq!(wrong, Outcome::Denied(Denied::WrongPassword));

    bench.verify_code(account, flow, Purpose::Reset).await;
    bench.app.set_password(change(flow, NEW)).await.unwrap();
    let gone = bench.sign_in(LOGIN, DISTRIBUTED).await;
    assert_eq!(gone, Outcome::Denied(Denied::WrongPassword));
    let signed_in = bench.sign_in(LOGIN, NEW).await;
    assert!(matches!(signed_in, Outcome::Accepted(_)), "{signed_in:?}");
}

/// A double click: one flow, one mail.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_form_twice_opens_one_choice_of_a_password() {
    let bench = distributed(must_change(), ADDRESS).await;
    let replica = bench
        .replica_with(Rules {
            initial_passwords: must_change(),
            ..Rules::default()
        })
        .await;
    let attempt = || attempt(LOGIN, DISTRIBUTED);
    let (one, other) = tokio::join!(
        bench.app.verify_password(attempt()),
        replica.verify_password(attempt())
    );
    let flow = flow_of(one.unwrap());
    assert_eq!(flow_of(other.unwrap()), flow);
    let wrong = bench.sign_in(LOGIN, "wrong").await;
    assert_eq!(wrong, Outcome::Denied(Denied::WrongPassword));
    let next_page = Attempt {
        secret_digest: [1; 32],
        ..attempt()
    };
    assert_ne!(flow_of(bench.app.verify_password(next_page).await.unwrap()), flow);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distributed_password_without_an_address_is_answered_like_any_other() {
    let bench = distributed(must_change(), "").await;
    assert_eq!(
        bench.sign_in(LOGIN, DISTRIBUTED).await,
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
    let signed_in = bench.sign_in(LOGIN, DISTRIBUTED).await;
    assert!(matches!(signed_in, Outcome::Accepted(_)), "{signed_in:?}");
    bench.shift_clock("clock_timestamp() + interval '30 days'").await;
    bench.log.confirm_head().await.unwrap();
    flow_of(bench.sign_in(LOGIN, DISTRIBUTED).await);
}

/// Others have seen it: setting it again would make a distributed password somebody's own.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_must_be_changed_cannot_be_set_again() {
    let bench = distributed(must_change(), ADDRESS).await;
    let account = bench.found(LOGIN).await.account;
    let flow = flow_of(bench.sign_in(LOGIN, DISTRIBUTED).await);
    bench.verify_code(account, flow, Purpose::Reset).await;
    let refused = bench.app.set_password(change(flow, DISTRIBUTED)).await;
    assert!(
        matches!(refused, Err(Error::Password(PasswordError::Unchanged))),
        "{refused:?}"
    );
    bench.app.set_password(change(flow, NEW)).await.unwrap();
}

/// Whoever chose a password may choose it again: nobody else has seen it.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_ones_own_can_be_set_again() {
    let bench = distributed(must_change(), ADDRESS).await;
    let account = bench.found(LOGIN).await.account;
    for _ in 0..2 {
        let flow = bench.reset(LOGIN).await;
        bench.verify_code(account, flow, Purpose::Reset).await;
        bench.app.set_password(change(flow, NEW)).await.unwrap();
    }
}
