//! A new password on the evidence of an accepted code.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use futures::future::join_all;
use sekisho_credentials::app::{Denied, Error, Outcome, PasswordChange, ResetRequest};
use sekisho_credentials::domain::{PasswordError, Rules, TypedPassword};
use sekisho_credentials::hashing::HashPool;
use sekisho_credentials::sealing::Seen;
use sekisho_eventlog::{FlowId, LogFault, Position, Version};
use sekisho_evidence::Refusal;
use sekisho_proto::credentials::v1::{Client, PasswordResetRequested};
use sekisho_proto::events::AccountEvent;
use sekisho_proto::otp::v1::{FlowCancelled, Purpose};
use sekisho_proto::sessions::v1::SessionsCut;
use sekisho_service::entropy;
use sekisho_service::settings::Secret;
use tokio::task::JoinSet;

use crate::support::{ACTOR, Bench, LOGIN, PASSWORD, SECRET, eventually, slow_hash_of};

const NEW: &str = "a new password of more than fifteen";
const FORM: [u8; 16] = [7; 16];

/// A form of its own.
fn change(flow: FlowId, new_password: &str) -> PasswordChange {
    in_form(entropy::bytes(), flow, new_password)
}

fn in_form(form: [u8; 16], flow: FlowId, new_password: &str) -> PasswordChange {
    PasswordChange {
        flow,
        secret: Secret::new(SECRET.to_vec()),
        new_password: Secret::new(new_password.to_owned()),
        command: form.into(),
        device: None,
    }
}

async fn refused(bench: &Bench, change: PasswordChange) -> Refusal {
    match bench.app.set_password(change).await {
        Err(Error::Flow(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// A reset flow of the demo account whose code was accepted.
async fn verified(bench: &Bench) -> FlowId {
    let account = bench.found(LOGIN).await.account;
    let flow = bench.reset(LOGIN).await;
    bench.verify_code(account, flow, Purpose::Reset).await;
    flow
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_code_of_a_reset_sets_the_password_and_cuts() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let flow = verified(&bench).await;
    let entries = bench.log.flow(flow).await.unwrap();
    let evidence = [entries[0].recorded.position.0, entries[2].recorded.position.0];

    let position = bench.app.set_password(change(flow, NEW)).await.unwrap();

    let (entry, event) = bench.newest().await;
    assert_eq!(
        (entry.recorded.position, entry.recorded.flow),
        (position, Some(flow))
    );
    let AccountEvent::PasswordChanged(changed) = event else {
        panic!("{event:?}")
    };
    assert_eq!(changed.evidence, evidence);
    assert_eq!(bench.found(LOGIN).await.password.set_by, entry.recorded.version);
    assert_eq!(bench.account(account).await.history.cuts.all, position);
    // Whoever has not got the answer asks where the flow stands.
    let secret = Secret::new(SECRET.to_vec());
    let described = bench.app.describe_flow(flow, &secret, position).await;
    assert!(
        matches!(described, Err(Error::Flow(Refusal::Used))),
        "{described:?}"
    );
    assert_eq!(
        bench.sign_in(LOGIN, PASSWORD).await,
        Outcome::Denied(Denied::WrongPassword)
    );
    let outcome = bench.sign_in(LOGIN, NEW).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_evidence_a_flow_sets_no_password() {
    let bench = Bench::new().await;
    let account = bench.register().await;

    let reset = bench.reset(LOGIN).await;
    assert_eq!(refused(&bench, change(reset, NEW)).await, Refusal::Missing);
    let foreign = PasswordChange {
        secret: Secret::new(vec![0; 32]),
        ..change(reset, NEW)
    };
    assert_eq!(refused(&bench, foreign).await, Refusal::SecretWrong);
    let unknown = FlowId::mint(bench.log.head());
    assert_eq!(refused(&bench, change(unknown, NEW)).await, Refusal::Unknown);

    let sign_in = bench.accepted().await;
    bench.verify_code(account, sign_in, Purpose::SignIn).await;
    assert_eq!(refused(&bench, change(sign_in, NEW)).await, Refusal::Missing);

    let cancelled = verified(&bench).await;
    bench.as_otp(account, cancelled, FlowCancelled {}.into()).await;
    assert_eq!(refused(&bench, change(cancelled, NEW)).await, Refusal::Cancelled);

    let cut = verified(&bench).await;
    bench.as_sessions(account, None, SessionsCut {}.into()).await;
    assert_eq!(refused(&bench, change(cut, NEW)).await, Refusal::Cut);

    let hashed = bench.app.pool().computed();
    assert_eq!(hashed, 1, "nothing was hashed for a refused flow");
    assert_eq!(bench.found(LOGIN).await.password.set_by, Version(1));
}

/// The cut is in another stream than the one that is decided on, so nothing but the second look can see it.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_that_comes_while_the_password_waits_to_be_hashed_counts() {
    let pool = HashPool::new(NonZeroUsize::MIN, 1);
    let bench = Bench::with_pool(pool.clone()).await;
    let account = bench.register().await;
    let flow = verified(&bench).await;
    let compared = pool.computed();
    let slow = slow_hash_of(PASSWORD);
    let busy = tokio::spawn({
        let pool = pool.clone();
        async move { pool.compare(TypedPassword::Hopeless, slow).await }
    });
    eventually("the only thread to be busy", async || {
        (pool.computed() > compared).then_some(())
    })
    .await;
    let setting = tokio::spawn({
        let app = bench.app.clone();
        async move { app.set_password(change(flow, NEW)).await }
    });
    eventually("the change to wait for it", async || {
        (pool.free_places() == 0).then_some(())
    })
    .await;
    bench.as_sessions(account, None, SessionsCut {}.into()).await;
    assert!(!busy.is_finished(), "the cut came too late to prove anything");

    let outcome = setting.await.unwrap();
    assert!(matches!(outcome, Err(Error::Flow(Refusal::Cut))), "{outcome:?}");
    assert_eq!(changes(&bench).await, 0);
    assert_eq!(bench.found(LOGIN).await.password.set_by, Version(1));
}

/// To this process the code is fresh; by the time its change holds the log's lock, the half hour is over.
#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_grows_old_before_the_change_is_recorded_sets_no_password() {
    let bench = Bench::new().await;
    bench.register().await;
    bench
        .shift_clock(
            "clock_timestamp() + case when current_query() like '%credentials.set_password%' \
             then interval '31 minutes' else interval '0' end",
        )
        .await;
    let flow = verified(&bench).await;
    assert_eq!(refused(&bench, change(flow, NEW)).await, Refusal::Old);
    assert_eq!(changes(&bench).await, 0);
    assert_eq!(bench.found(LOGIN).await.password.set_by, Version(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_and_a_phantom_get_no_password() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.app.disable(LOGIN, ACTOR).await.unwrap();
    let flow = verified(&bench).await;
    let outcome = bench.app.set_password(change(flow, NEW)).await;
    assert!(matches!(outcome, Err(Error::AccountDisabled)), "{outcome:?}");

    let phantom = bench.app.phantoms().stream("04500009");
    let flow = bench.reset("04500009").await;
    // As if somebody had guessed its code.
    bench.verify_code(phantom, flow, Purpose::Reset).await;
    assert_eq!(refused(&bench, change(flow, NEW)).await, Refusal::Missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_has_15_to_128_code_points() {
    let bench = Bench::new().await;
    bench.register().await;
    let flow = verified(&bench).await;
    for (new, expected) in [
        ("漢".repeat(14), PasswordError::TooShort),
        ("a".repeat(129), PasswordError::TooLong),
    ] {
        let outcome = bench.app.set_password(change(flow, &new)).await;
        assert!(
            matches!(outcome, Err(Error::Password(found)) if found == expected),
            "{outcome:?}"
        );
    }
    bench
        .app
        .set_password(change(flow, "海辺の町で秋の祭を三度見ました"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_may_agree_on_a_shorter_password() {
    let mut rules = Rules::default();
    rules.new_passwords.shortest = 8;
    let bench = Bench::with_rules(rules).await;
    bench.register().await;
    let flow = verified(&bench).await;
    let outcome = bench.app.set_password(change(flow, "kvtqzmw")).await;
    assert!(
        matches!(outcome, Err(Error::Password(PasswordError::TooShort))),
        "{outcome:?}"
    );
    bench.app.set_password(change(flow, "kvtqzmwphx")).await.unwrap();
}

/// A double click: one flow, one mail.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_form_twice_from_one_address_is_one_reset_for_a_moment() {
    let bench = Bench::new().await;
    bench.register().await;
    let from = |address: &str, login: &str, secret_digest: [u8; 32]| ResetRequest {
        login_id: login.to_owned(),
        secret_digest,
        device: None,
        seen: Seen::from(Client {
            address: address.to_owned(),
            user_agent: String::new(),
        }),
    };
    let request = |login: &str, secret_digest| from("192.0.2.1", login, secret_digest);
    for login in [LOGIN, "04500009"] {
        let before = bench.account_entries().await.len();
        let twice = [1, 2].map(|_| bench.app.request_reset(request(login, [1; 32])));
        let [first, second] = <[_; 2]>::try_from(join_all(twice).await).unwrap();
        let first = first.unwrap();
        assert_eq!(first, second.unwrap(), "{login}");
        assert_eq!(bench.account_entries().await.len(), before + 1);
        // Whoever left the form open in somebody else's browser, and sends it from elsewhere.
        let stranger = bench.app.request_reset(from("192.0.2.2", login, [1; 32])).await;
        assert_ne!(stranger.unwrap(), first, "{login}");
        let other = bench.app.request_reset(request(login, [2; 32])).await.unwrap();
        let late = bench.app.request_reset(request(login, [1; 32])).await.unwrap();
        assert_ne!(other, late);
    }
    bench
        .shift_clock("clock_timestamp() + interval '3 seconds'")
        .await;
    let before = bench.account_entries().await.len();
    bench.app.request_reset(request(LOGIN, [1; 32])).await.unwrap();
    assert_eq!(bench.account_entries().await.len(), before + 1);
}

/// C-5 and C-6 at the gate; the table of passwords: `domain/blocklist.rs`. A refusal leaves the flow as it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_guessers_try_first_is_refused_with_its_reason_and_another_password_may_follow() {
    let mut rules = Rules::default();
    rules.new_passwords.words = vec!["gantoroku".to_owned()];
    let bench = Bench::with_rules(rules).await;
    bench.register().await;
    let flow = verified(&bench).await;
    for (new, expected) in [
        ("interdependence", PasswordError::Common),
        ("1qaz2wsx3edc4rfv5tgb", PasswordError::Common),
        ("kvtq gantoroku zmwphx", PasswordError::Contextual),
        ("kvtqzmwphx04500001", PasswordError::Contextual),
        ("架空がんセンターkvtqzmwphx", PasswordError::Contextual),
        ("登録花子kvtqzmwphx!wq", PasswordError::Contextual),
    ] {
        let outcome = bench.app.set_password(change(flow, new)).await;
        assert!(
            matches!(outcome, Err(Error::Password(found)) if found == expected),
            "{new}: {outcome:?}"
        );
    }
    assert_eq!(changes(&bench).await, 0);
    bench.app.set_password(change(flow, NEW)).await.unwrap();
}

/// Whoever has no accepted code makes nobody compute, and learns nothing that the page does not say.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_evidence_no_password_is_looked_at() {
    let bench = Bench::new().await;
    bench.register().await;
    let flow = bench.reset(LOGIN).await;
    assert_eq!(
        refused(&bench, change(flow, "interdependence")).await,
        Refusal::Missing
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_form_gets_the_first_answer_and_another_password_is_another_command() {
    let bench = Bench::new().await;
    bench.register().await;
    let flow = verified(&bench).await;
    let first = bench.app.set_password(in_form(FORM, flow, NEW)).await.unwrap();
    assert_eq!(
        bench.app.set_password(in_form(FORM, flow, NEW)).await.unwrap(),
        first
    );
    let other = format!("{NEW}!");
    // Its own change was a cut; a used flow is named first.
    assert_eq!(refused(&bench, in_form(FORM, flow, &other)).await, Refusal::Used);
    assert_eq!(refused(&bench, change(flow, NEW)).await, Refusal::Used);
    assert_eq!(changes(&bench).await, 1);
}

/// Clicks all the time until the change stands in the log and a little longer, so that some of them look at the flow
/// before it and at the cuts after it. Some find the pool full.
#[tokio::test(flavor = "multi_thread")]
async fn however_often_the_button_is_clicked_the_password_changes_once() {
    let bench = Bench::new().await;
    bench.register().await;
    let flow = verified(&bench).await;
    let mut clicks = JoinSet::new();
    for _ in 0..400 {
        let app = bench.app.clone();
        clicks.spawn(async move { app.set_password(in_form(FORM, flow, NEW)).await });
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    let mut positions = BTreeSet::new();
    for answer in clicks.join_all().await {
        match answer {
            Ok(position) => drop(positions.insert(position)),
            // So many at once may find the queue full, or a busy machine too slow.
            Err(Error::HashingBusy | Error::Log(LogFault::Unavailable)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(positions.len(), 1);
    assert_eq!(changes(&bench).await, 1);
}

/// Hashing takes longer than looking, so both have most often seen the evidence before either is decided.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_forms_at_once_one_changes_the_password() {
    let bench = Bench::new().await;
    bench.register().await;
    let flow = verified(&bench).await;
    let (first, second) = tokio::join!(
        bench.app.set_password(in_form(FORM, flow, NEW)),
        bench.app.set_password(change(flow, NEW)),
    );
    let refused = match (first, second) {
        (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
        both => panic!("{both:?}"),
    };
    // A look that began before the change and ended after it finds the cut first.
    assert!(
        matches!(refused, Error::Flow(Refusal::Used | Refusal::Cut)),
        "{refused:?}"
    );
    assert_eq!(changes(&bench).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn known_and_unknown_login_ids_are_reset_alike() {
    let bench = Bench::new().await;
    bench.register().await;
    let shape = async |login: &str| -> (usize, PasswordResetRequested) {
        let flow = bench.reset(login).await;
        let entries = bench.log.flow(flow).await.unwrap();
        let AccountEvent::PasswordResetRequested(requested) = entries[0].event().unwrap() else {
            panic!("{entries:?}")
        };
        (entries.len(), requested)
    };
    let (known, unknown) = (shape(LOGIN).await, shape("04500009").await);
    assert_eq!(known.0, unknown.0);
    assert_eq!(known.1.secret_digest, unknown.1.secret_digest);
    let length = |requested: &PasswordResetRequested| requested.client.as_ref().unwrap().sealed.len();
    assert_eq!(length(&known.1), length(&unknown.1));
    assert_eq!(bench.app.pool().computed(), 0);
}

async fn changes(bench: &Bench) -> usize {
    let entries = bench.account_entries().await;
    let changed: Vec<Position> = entries
        .iter()
        .filter(|entry| entry.event_type == "password_changed")
        .map(|entry| entry.recorded.position)
        .collect();
    changed.len()
}
