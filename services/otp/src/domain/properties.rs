//! Whatever is asked in whatever order: never a panic, a replay is the same, a code is accepted once.

use std::collections::HashMap;

use proptest::prelude::*;
use sekisho_eventlog::{Carry, Decision, FlowId, Fold, Position, Recorded};
use sekisho_evidence::Bucket;
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::otp::v1::{Purpose, Topic};
use time::Duration;
use uuid::Uuid;

use super::sample::{nothing, recorded, start};
use super::*;

/// What a command names is mostly what the state holds: pure chance would seldom hit.
#[derive(Debug, Clone, Copy)]
enum Step {
    Issue,
    Verify { finding: Finding },
    Cancel,
    Claim { skip: u32, minutes: i64 },
    Mailed { attempt: u32 },
    Failed { attempt: u32, class: Class },
}

fn step() -> impl Strategy<Value = Step> {
    let finding = prop_oneof![
        Just(Finding::Right),
        Just(Finding::Wrong),
        Just(Finding::Wrong),
        Just(Finding::Replaced),
        Just(Finding::NothingToCompare)
    ];
    let class = prop_oneof![
        Just(Class::Unreachable),
        Just(Class::Unprepared),
        Just(Class::Transient),
        Just(Class::Permanent),
        Just(Class::NoAddress),
        Just(Class::Dead),
        Just(Class::InDoubt)
    ];
    prop_oneof![
        4 => Just(Step::Issue),
        8 => finding.prop_map(|finding| Step::Verify { finding }),
        1 => Just(Step::Cancel),
        3 => (0..2_u32, 0..3_i64).prop_map(|(skip, minutes)| Step::Claim { skip, minutes }),
        2 => (1..4_u32).prop_map(|attempt| Step::Mailed { attempt }),
        2 => (1..4_u32, class).prop_map(|(attempt, class)| Step::Failed { attempt, class }),
    ]
}

fn command(codes: &Codes, flow: FlowId, now: time::OffsetDateTime, step: Step) -> Command {
    let last = codes.flow(flow).and_then(|known| known.stage.last_code());
    let about = last.map_or(Position(0), |(code, _)| code.position);
    let attempts = match codes.flow(flow).map(|known| &known.stage) {
        Some(Stage::Live { mail, .. }) => match mail {
            Mail::Owed { attempts, .. } => *attempts,
            Mail::Claimed { attempt, .. } => *attempt,
            Mail::Mailed { .. } | Mail::Failed => 0,
        },
        _ => 0,
    };
    let purpose = [Purpose::Reset, Purpose::SignIn][usize::from(!flow.0.as_u128().is_multiple_of(2))];
    let subject = Subject {
        flow,
        bucket: Bucket::of(purpose, flow.0.as_u128().is_multiple_of(4)),
        pardon: Position(0),
    };
    match step {
        Step::Issue => Command::Issue {
            subject,
            evidence: Position(1),
            again: last.is_some(),
            key_id: "k1".to_owned(),
            reference: "CFHJ".to_owned(),
            not_after: time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(365_000),
        },
        Step::Verify { finding } => Command::Verify { subject, finding },
        Step::Cancel => Command::Cancel { flow },
        Step::Claim { skip, minutes } => Command::ClaimMail {
            letter: Letter::Code(flow),
            about,
            attempt: attempts + 1 + skip,
            until: now + Duration::minutes(minutes),
        },
        Step::Mailed { attempt } => Command::RecordMailed {
            letter: Letter::Code(flow),
            about,
            attempt,
            reply: 250,
        },
        Step::Failed { attempt, class } => Command::RecordMailFailed {
            letter: Letter::Code(flow),
            about,
            attempt,
            class,
            reply: 0,
        },
    }
}

/// About the mail of a notice.
#[derive(Debug, Clone, Copy)]
enum NoticeStep {
    Claim,
    Mailed,
    Failed(Class),
}

const TOPICS: [Topic; 3] = [Topic::Locked, Topic::PasswordChanged, Topic::ResetCodeSpent];

/// Which notice, seconds before it, and what is done: about few notices of a topic that never changes.
fn notice_steps() -> impl Strategy<Value = Vec<(u64, i64, NoticeStep)>> {
    let class = prop_oneof![
        Just(Class::Transient),
        Just(Class::NoAddress),
        Just(Class::InDoubt)
    ];
    let what = prop_oneof![
        4 => Just(NoticeStep::Claim),
        2 => Just(NoticeStep::Mailed),
        2 => class.prop_map(NoticeStep::Failed),
    ];
    let seconds = prop_oneof![6 => 0..100_i64, 1 => 5_000..20_000_i64];
    prop::collection::vec((1..9_u64, seconds, what), 0..150)
}

/// Runs steps about notices; each is owed from the beginning, or an hour later than the one before of its topic.
fn run_notices(steps: Vec<(u64, i64, NoticeStep)>) -> (History, Vec<Codes>) {
    let mut story = nothing();
    let mut history = History::new();
    let mut states = vec![story.codes.clone()];
    for (number, seconds, step) in steps {
        story = story.after(Duration::seconds(seconds));
        let topic = TOPICS[usize::try_from(number % 3).unwrap()];
        let about = Position(number);
        let letter = Letter::Notice {
            topic,
            owed_at: start() + Duration::hours(i64::try_from(number).unwrap()),
        };
        let known = story.codes.notices.iter().find(|known| known.about == about);
        let attempts = match known.map(|known| known.mail) {
            Some(Mail::Owed { attempts, .. }) => attempts,
            Some(Mail::Claimed { attempt, .. }) => attempt,
            Some(Mail::Mailed { .. } | Mail::Failed) | None => 0,
        };
        let command = match step {
            NoticeStep::Claim => Command::ClaimMail {
                letter,
                about,
                attempt: attempts + 1,
                until: story.now + Duration::seconds(75),
            },
            // A worker records what it has claimed, and one outcome of each claim.
            NoticeStep::Mailed | NoticeStep::Failed(_)
                if known.is_none_or(|known| known.mail == Mail::Failed) =>
            {
                continue;
            }
            NoticeStep::Mailed => Command::RecordMailed {
                letter,
                about,
                attempt: attempts,
                reply: 250,
            },
            NoticeStep::Failed(class) => Command::RecordMailFailed {
                letter,
                about,
                attempt: attempts,
                class,
                reply: 0,
            },
        };
        let Ok(Decision::Record(event)) = story.codes.decide(story.now, command) else {
            continue;
        };
        story = story.of_no_flow(event.clone());
        let recorded = Recorded {
            flow: None,
            ..recorded(FlowId(Uuid::nil()), story.position, story.now)
        };
        history.push((event, recorded));
        states.push(story.codes.clone());
    }
    (history, states)
}

type History = Vec<(CodeEvent, Recorded)>;

/// Runs random steps; the events that they led to, and the state after each.
fn run(steps: Vec<(u128, i64, Step)>) -> (History, Vec<Codes>) {
    let mut story = nothing();
    let mut history = History::new();
    let mut states = vec![story.codes.clone()];
    for (flow, seconds, step) in steps {
        story = story.after(Duration::seconds(seconds));
        let flow = FlowId(Uuid::from_u128(flow));
        let command = command(&story.codes, flow, story.now, step);
        let Ok(Decision::Record(event) | Decision::RecordBefore(event, _)) =
            story.codes.decide(story.now, command)
        else {
            continue;
        };
        story.record(flow, &event);
        history.push((event, recorded(flow, story.position, story.now)));
        states.push(story.codes.clone());
    }
    (history, states)
}

fn steps() -> impl Strategy<Value = Vec<(u128, i64, Step)>> {
    let seconds = prop_oneof![6 => 0..5_i64, 2 => 30..120_i64, 1 => 500..5_000_i64];
    prop::collection::vec((0..40_u128, seconds, step()), 0..300)
}

fn few_flows() -> impl Strategy<Value = Vec<(u128, i64, Step)>> {
    prop::collection::vec((0..3_u128, 0..40_i64, step()), 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_replay_gives_the_same_state(steps in steps()) {
        let (history, states) = run(steps);
        let replayed = history
            .iter()
            .fold(Codes::default(), |codes, (event, recorded)| codes.evolve(event, recorded));
        prop_assert_eq!(Some(&replayed), states.last());
    }

    #[test]
    fn a_carried_state_goes_on_like_the_full_fold(steps in steps(), at in 0..300_usize) {
        let (history, states) = run(steps);
        let at = at.min(history.len());
        let resumed = Codes::resume(&states[at].carry()).unwrap();
        prop_assert_eq!(&resumed, &states[at]);
        let end = history[at..]
            .iter()
            .fold(resumed, |codes, (event, recorded)| codes.evolve(event, recorded));
        prop_assert_eq!(Some(&end), states.last());
    }

    #[test]
    fn at_most_one_acceptance_and_five_tries_per_code(steps in few_flows()) {
        let (history, _) = run(steps);
        let mut accepted = HashMap::new();
        let mut rejected = HashMap::new();
        let mut flows = HashMap::new();
        for (event, recorded) in history {
            match event {
                CodeEvent::CodeAccepted(event) => {
                    *accepted.entry(event.issue).or_insert(0) += 1;
                    *flows.entry(recorded.flow).or_insert(0) += 1;
                    prop_assert!(rejected.get(&event.issue).is_none_or(|tries| *tries < TRIES));
                }
                CodeEvent::CodeRejected(event) => {
                    let tries = rejected.entry(event.issue).or_insert(0_u32);
                    *tries += 1;
                    prop_assert_eq!(event.tries_left, TRIES - *tries);
                    prop_assert!(!accepted.contains_key(&event.issue));
                }
                _ => {}
            }
        }
        prop_assert!(accepted.values().chain(flows.values()).all(|times| *times == 1));
        prop_assert!(rejected.values().all(|tries| *tries <= TRIES));
    }

    #[test]
    fn the_state_stays_bounded(steps in steps()) {
        let (_, states) = run(steps);
        for state in states {
            prop_assert!(state.flows.len() <= 3 * 12);
            prop_assert!(state.sent.len() <= 20 + 6 + 6);
            prop_assert!(state.notices.len() <= 16);
        }
    }

    #[test]
    fn notices_replay_and_are_carried_and_told_once(steps in notice_steps()) {
        let (history, states) = run_notices(steps);
        let replayed = history
            .iter()
            .fold(Codes::default(), |codes, (event, recorded)| codes.evolve(event, recorded));
        prop_assert_eq!(Some(&replayed), states.last());
        for state in &states {
            prop_assert!(state.notices.len() <= 16);
            prop_assert_eq!(Codes::resume(&state.carry()), Some(state.clone()));
        }
        let mut mailed = HashMap::new();
        for (event, _) in &history {
            if let CodeEvent::Mailed(event) = event {
                *mailed.entry(event.about).or_insert(0) += 1;
            }
        }
        prop_assert!(mailed.values().all(|times| *times == 1), "{:?}", mailed);
        // All are owed within a day of each other: of what strangers cause, one is told.
        for topic in [0, 2] {
            let told = mailed.keys().filter(|about| *about % 3 == topic).count();
            prop_assert!(told <= 1, "{:?}", mailed);
        }
    }
}
