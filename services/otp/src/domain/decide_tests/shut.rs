//! Wrong codes in a row, over all flows.

use sekisho_evidence::Shut;

use super::*;

/// A story in which so many wrong codes were typed in a row, all of them by the rules: after five the next flow is begun.
struct Guesser {
    story: Story,
    subject: Subject,
    flows: u128,
    last: Option<otp::CodeRejected>,
}

impl Guesser {
    fn new(subject: Subject) -> Self {
        Self {
            story: nothing(),
            subject,
            flows: 10,
            last: None,
        }
    }

    /// Types one wrong code; waits as long as it must.
    fn guess(&mut self, finding: Finding) -> Result<(), Rejection> {
        let now = self.story.now;
        let live = matches!(
            self.story.codes.standing(self.subject.flow, now),
            Standing::Live { .. }
        );
        if !live {
            self.flows += 1;
            self.subject.flow = FlowId(Uuid::from_u128(self.flows));
            // Hours for each code: what is mailed is not the matter here.
            self.story = self.story.clone().after(Duration::hours(5));
            let issued = self.decide(|subject| Command::Issue {
                subject,
                evidence: Position(100),
                again: false,
                key_id: "k1".to_owned(),
                reference: "CFHJ".to_owned(),
                not_after: start() + Duration::days(900),
            })?;
            self.story.record(self.subject.flow, &issued);
        }
        let event = self.decide(|subject| Command::Verify { subject, finding })?;
        self.story.record(self.subject.flow, &event);
        if let CodeEvent::CodeRejected(rejected) = event {
            self.last = Some(rejected);
        }
        Ok(())
    }

    fn decide(&self, command: impl FnOnce(Subject) -> Command) -> Result<CodeEvent, Rejection> {
        match self.story.codes.decide(self.story.now, command(self.subject))? {
            Decision::Record(event) | Decision::RecordBefore(event, _) => Ok(event),
            Decision::Nothing => panic!("nothing to record"),
        }
    }

    fn guesses(mut self, times: u32) -> Self {
        for _ in 0..times {
            self.guess(Finding::Wrong).unwrap();
        }
        self
    }

    fn shut(&self) -> Option<Shut> {
        let Subject { bucket, pardon, .. } = self.subject;
        self.story.codes.wrong.shut(bucket, pardon, self.story.now)
    }
}

fn sign_ins() -> Guesser {
    Guesser::new(subject(FLOW))
}

#[test]
fn fifteen_wrong_codes_in_a_row_lock_for_half_an_hour() {
    let mut story = sign_ins().guesses(14);
    assert_eq!(story.shut(), None);
    story = story.guesses(1);
    assert_eq!(story.last.as_ref().unwrap().in_a_row, 15);
    let until = story.story.now + Duration::minutes(30);
    assert_eq!(story.shut(), Some(Shut::Locked { until }));
    // Another flow that holds a code already is not compared with either.
    let held = issued_at(99, story.story.now);
    let held = story.story.clone().and(OTHER, [held]);
    let refused = |story: Story, command| story.when(command).then_refused(Rejection::Locked);
    refused(held.clone(), typed(OTHER, Finding::Right));
    refused(held.clone().after(Duration::minutes(30) - A_MOMENT), issue(FLOW));
    held.after(Duration::minutes(9))
        .when(typed(OTHER, Finding::Wrong))
        .then_refused(Rejection::Locked);
    story.story.now += Duration::minutes(30);
    assert_eq!(story.shut(), None);
}

#[test]
fn each_further_fifteen_lock_again_and_fifty_close() {
    let mut story = sign_ins();
    let mut locks = Vec::new();
    for number in 1..=50 {
        story = story.guesses(1);
        let last = story.last.as_ref().unwrap();
        assert_eq!(last.in_a_row, number);
        if last.lock.is_some() {
            locks.push(number);
        }
        assert_eq!(last.closes, number == 50);
    }
    assert_eq!(locks, [15, 30, 45]);
    story.story.now += Duration::days(400);
    assert_eq!(story.shut(), Some(Shut::Closed));
    let refused = |command| story.story.clone().when(command).then_refused(Rejection::Closed);
    refused(issue(OTHER));
    refused(typed(OTHER, Finding::Right));
}

#[test]
fn a_right_code_begins_the_count_anew() {
    let mut story = sign_ins().guesses(14);
    story.guess(Finding::Right).unwrap();
    story = story.guesses(14);
    assert_eq!(story.shut(), None);
    assert_eq!(story.guesses(1).last.unwrap().in_a_row, 15);
}

/// A code that another one replaced is a wrong one.
#[test]
fn an_old_code_counts_in_the_row() {
    let mut story = sign_ins().guesses(14);
    story.guess(Finding::Replaced).unwrap();
    assert!(matches!(story.shut(), Some(Shut::Locked { .. })));
}

#[test]
fn a_pardon_ends_what_was_shut_and_the_count() {
    let mut story = sign_ins().guesses(50);
    story.subject.pardon = Position(story.story.position + 1);
    story.story.position += 1;
    assert_eq!(story.shut(), None);
    assert_eq!(story.guesses(1).last.unwrap().in_a_row, 1);
    let mut before = sign_ins().guesses(50);
    before.subject.pardon = Position(before.story.position - 1);
    assert_eq!(before.shut(), Some(Shut::Closed));
}

/// Anyone can begin a reset; what is done there must shut no sign-in, and no reset of who has proved something.
#[test]
fn resets_of_strangers_shut_nothing_but_themselves() {
    let strangers = Guesser::new(of_reset(FLOW, false)).guesses(50);
    let shut = |subject: Subject| {
        let wrong = &strangers.story.codes.wrong;
        wrong.shut(subject.bucket, Position(0), strangers.story.now)
    };
    assert_eq!(shut(of_reset(FLOW, false)), Some(Shut::Closed));
    assert_eq!(shut(of_reset(FLOW, true)), None);
    assert_eq!(shut(subject(FLOW)), None);
}

/// Else whoever asks for resets all day could close them with codes that can never be right.
#[test]
fn guesses_at_withheld_codes_do_not_count_in_the_row() {
    let withheld = otp::CodeIssued {
        purpose: otp::Purpose::Reset.into(),
        withheld: true,
        proved: false,
        ..issued(1)
    };
    let mut story = nothing().and(FLOW, [withheld]);
    for _ in 0..TRIES {
        let typed = Command::Verify {
            subject: of_reset(FLOW, false),
            finding: Finding::Wrong,
        };
        let Some(CodeEvent::CodeRejected(rejected)) = story.clone().when(typed).decided() else {
            panic!("counted against the code")
        };
        assert_eq!((rejected.in_a_row, rejected.lock), (0, None));
        story.record(FLOW, &rejected.into());
    }
    assert!(matches!(
        story.codes.standing(FLOW, story.now),
        Standing::Spent(_)
    ));
}
