use sekisho_eventlog::{EventId, Recorded, Version};
use sekisho_proto::log::v1::{Metadata, Payload};
use sekisho_proto::{Event, credentials::v1 as credentials, otp::v1 as otp, sessions::v1 as sessions};
use uuid::Uuid;

use super::*;

const SECRET: &[u8] = b"a flow's secret of thirty-two by";
/// Not the constant: this is what it has to be.
const HALF_AN_HOUR: Duration = Duration::minutes(30);

fn start() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
}

fn account(number: u128) -> StreamId {
    StreamId(Uuid::from_u128(number))
}

/// The entries of one flow of account 1, one second apart.
fn entries<E: Event>(first: u64, stream: StreamId, events: impl IntoIterator<Item = E>) -> Vec<Entry> {
    events
        .into_iter()
        .zip(first..)
        .map(|(event, position)| {
            let recorded = Recorded {
                position: Position(position),
                version: Version(position),
                stream,
                event_id: EventId(Uuid::from_u128(u128::from(position))),
                flow: Some(FlowId(Uuid::from_u128(7))),
                recorded_at: start() + Duration::seconds(i64::try_from(position).unwrap()),
            };
            let payload = Payload {
                event: event.encode(),
                carried: None,
            };
            let event_type = event.event_type().to_owned();
            Entry::new(recorded, E::KIND, event_type, payload, &Metadata::default())
        })
        .collect()
}

fn password_accepted() -> AccountEvent {
    credentials::PasswordAccepted {
        secret_digest: secret_digest(SECRET).to_vec(),
        ..Default::default()
    }
    .into()
}

fn identity_accepted() -> AccountEvent {
    credentials::FederatedIdentityAccepted {
        secret_digest: secret_digest(SECRET).to_vec(),
        ..Default::default()
    }
    .into()
}

fn code_accepted(purpose: Purpose) -> CodeEvent {
    otp::CodeAccepted {
        purpose: purpose.into(),
        ..Default::default()
    }
    .into()
}

fn verified() -> Vec<Entry> {
    let mut all = entries(1, account(1), [password_accepted()]);
    all.extend(entries(2, account(1), [code_accepted(Purpose::SignIn)]));
    all
}

#[test]
fn a_code_was_accepted_only_where_one_was() {
    let has = |entries: &[Entry]| Flow::fold(entries).unwrap().has_accepted_code();
    assert!(has(&verified()));
    assert!(!has(&entries(1, account(1), [password_accepted()])));
    assert!(!has(&entries(1, account(1), [identity_accepted()])));
}

fn evidence(entries: &[Entry], cuts: Cuts, now: OffsetDateTime) -> Result<Position, Refusal> {
    let flow = Flow::fold(entries).unwrap();
    flow.evidence(Mint::SignIn, cuts, now)
        .map(|(minted, _)| minted.position)
}

#[test]
fn an_accepted_password_and_an_accepted_code_are_evidence() {
    assert_eq!(evidence(&verified(), Cuts::default(), start()), Ok(Position(1)));
}

#[test]
fn a_password_alone_is_not_enough() {
    assert_eq!(
        evidence(&verified()[..1], Cuts::default(), start()),
        Err(Refusal::Missing)
    );
}

#[test]
fn an_accepted_identity_is_evidence_by_itself() {
    let all = entries(1, account(1), [identity_accepted()]);
    assert_eq!(evidence(&all, Cuts::default(), start()), Ok(Position(1)));
    let late = start() + Duration::seconds(1) + HALF_AN_HOUR + Duration::microseconds(1);
    assert_eq!(evidence(&all, Cuts::default(), late), Err(Refusal::Old));
}

#[test]
fn neither_a_password_nor_a_code_goes_with_an_accepted_identity() {
    let both = entries(1, account(1), [identity_accepted(), password_accepted()]);
    assert_eq!(evidence(&both, Cuts::default(), start()), Err(Refusal::Mixed));
    let mut with_code = entries(1, account(1), [identity_accepted()]);
    with_code.extend(entries(2, account(1), [code_accepted(Purpose::SignIn)]));
    assert_eq!(
        evidence(&with_code, Cuts::default(), start()),
        Err(Refusal::Mixed)
    );
}

#[test]
fn a_code_without_a_password_is_nothing() {
    assert_eq!(
        evidence(&verified()[1..], Cuts::default(), start()),
        Err(Refusal::Mixed)
    );
}

#[test]
fn a_code_of_another_account_spoils_the_flow() {
    let mut all = entries(1, account(1), [password_accepted()]);
    all.extend(entries(2, account(2), [code_accepted(Purpose::SignIn)]));
    assert_eq!(evidence(&all, Cuts::default(), start()), Err(Refusal::Mixed));
}

#[test]
fn a_code_of_another_purpose_spoils_the_flow() {
    let mut all = entries(1, account(1), [password_accepted()]);
    all.extend(entries(2, account(1), [code_accepted(Purpose::Reset)]));
    assert_eq!(evidence(&all, Cuts::default(), start()), Err(Refusal::Mixed));
}

#[test]
fn a_flow_that_is_minted_twice_opens_nothing() {
    let all = entries(1, account(1), [password_accepted(), password_accepted()]);
    assert_eq!(evidence(&all, Cuts::default(), start()), Err(Refusal::Mixed));
}

#[test]
fn a_cut_at_or_after_the_mint_ends_the_flow() {
    let cut = |position| Cuts {
        all: Position(position),
        flows: Position(0),
    };
    assert_eq!(evidence(&verified(), cut(1), start()), Err(Refusal::Cut));
    assert_eq!(evidence(&verified(), cut(0), start()), Ok(Position(1)));
}

/// An EmailChanged moves `flows` alone: sessions live on, flows do not.
#[test]
fn a_new_address_ends_a_flow_that_is_under_way() {
    let new_address = |position| Cuts {
        all: Position(0),
        flows: Position(position),
    };
    assert_eq!(evidence(&verified(), new_address(2), start()), Err(Refusal::Cut));
    assert_eq!(evidence(&verified(), new_address(0), start()), Ok(Position(1)));
}

#[test]
fn a_code_is_evidence_for_half_an_hour() {
    let accepted_at = start() + Duration::seconds(2);
    assert!(evidence(&verified(), Cuts::default(), accepted_at + HALF_AN_HOUR).is_ok());
    let late = accepted_at + HALF_AN_HOUR + Duration::microseconds(1);
    assert_eq!(evidence(&verified(), Cuts::default(), late), Err(Refusal::Old));
}

#[test]
fn a_cancelled_flow_stays_cancelled() {
    let mut all = verified();
    all.extend(entries(3, account(1), [CodeEvent::from(otp::FlowCancelled {})]));
    assert_eq!(evidence(&all, Cuts::default(), start()), Err(Refusal::Cancelled));
    all.extend(entries(4, account(1), [code_accepted(Purpose::SignIn)]));
    assert!(evidence(&all, Cuts::default(), start()).is_err());
}

/// After the evidence for a session is complete, what comes first counts.
#[test]
fn of_cancelling_and_starting_the_first_wins() {
    let cancelled = || CodeEvent::from(otp::FlowCancelled {});
    let started = || SessionEvent::from(sessions::SessionStarted::default());
    let mut cancelled_first = verified();
    cancelled_first.extend(entries(3, account(1), [cancelled()]));
    cancelled_first.extend(entries(4, account(1), [started()]));
    let flow = Flow::fold(&cancelled_first);
    assert!(matches!(flow, Ok(Flow::Cancelled(_))), "{flow:?}");
    let mut started_first = verified();
    started_first.extend(entries(3, account(1), [started()]));
    started_first.extend(entries(4, account(1), [cancelled()]));
    let flow = Flow::fold(&started_first);
    assert!(matches!(flow, Ok(Flow::Used(_, _, Position(3)))), "{flow:?}");
}

#[test]
fn a_flow_leads_to_one_session() {
    let mut all = verified();
    all.extend(entries(
        3,
        account(1),
        [SessionEvent::from(sessions::SessionStarted::default())],
    ));
    assert_eq!(evidence(&all, Cuts::default(), start()), Err(Refusal::Used));
}

#[test]
fn a_sign_in_flow_sets_no_password() {
    let flow = Flow::fold(&verified()).unwrap();
    let refused = flow.evidence(Mint::Reset, Cuts::default(), start());
    assert_eq!(refused, Err(Refusal::Missing));
}

#[test]
fn a_flow_opens_with_its_secret_only() {
    let flow = Flow::fold(&verified()).unwrap();
    assert!(flow.open_with(SECRET).is_ok());
    assert_eq!(flow.open_with(b"another secret"), Err(Refusal::SecretWrong));
    assert_eq!(Flow::Unminted.open_with(SECRET), Err(Refusal::Unknown));
}

#[test]
fn entries_that_are_no_steps_spoil_no_flow() {
    let mut all = verified();
    for kind in [Kind::Client, Kind::System, Kind::Audit] {
        let mut foreign = entries(90, account(2), [code_accepted(Purpose::SignIn)]);
        foreign[0].kind = kind;
        all.append(&mut foreign);
    }
    assert_eq!(Flow::fold(&all), Flow::fold(&verified()));
}
