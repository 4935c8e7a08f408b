//! Somebody who uses sessions all the time, remembers what was said, and holds it against the log afterwards.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sekisho_eventlog::{Entry, Log, LogFault, Position, StreamId};
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::{Event, Kind};
use sekisho_sessions::app::{Ended, Error, Sessions, Started};
use sekisho_sessions::domain::{Limits, SessionId, Why};

use crate::support::{Flow, Replica, World, eventually};

/// Within such a time every replica refuses a session whose end was answered.
const KNOWN_WITHIN: Duration = Duration::from_secs(1);

/// One user of all replicas, with accounts of its own.
pub struct Witness {
    replicas: Vec<Sessions>,
    /// Flows that may become a session. One whose start had no answer may be one already.
    flows: Vec<Flow>,
    seen: Vec<Seen>,
    random: u64,
    counts: Counts,
    told: bool,
}

/// A session that was answered, and what was answered about its end.
struct Seen {
    flow: Flow,
    started: Started,
    end: End,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    /// Nobody has asked for it.
    None,
    /// Somebody has, and had no answer.
    Asked,
    /// It was answered then: recorded at a position, or not yet.
    Answered(Instant, Option<Position>),
}

/// How often something happened: a trouble that kept everybody from everything would prove nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub started: u32,
    pub alive: u32,
    pub believed: u32,
    pub over: u32,
    pub ended: u32,
    pub unrecorded: u32,
    pub unanswered: u32,
}

impl Witness {
    /// One that may start so many sessions.
    pub async fn new(world: &World, replicas: &[&Replica], sessions: usize, seed: u64) -> Self {
        let mut flows = Vec::new();
        for _ in 0..sessions {
            flows.push(world.verified(world.account()).await);
        }
        Self {
            replicas: replicas.iter().map(|replica| replica.sessions.clone()).collect(),
            flows,
            seen: Vec::new(),
            random: seed,
            counts: Counts::default(),
            told: false,
        }
    }

    /// The bus carries every end to every replica.
    pub fn ends_are_told(&mut self) {
        self.told = true;
    }

    /// Every session is refused by all of these.
    pub async fn all_are_over(&mut self, replicas: &[&Replica]) {
        assert!(!self.seen.is_empty());
        for seen in &mut self.seen {
            seen.end = End::Answered(Instant::now(), None);
            for replica in replicas {
                refused_or_alive(replica, seen).await;
            }
        }
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Does this and that until the time is up.
    pub async fn act_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.act().await;
        }
    }

    /// Starts, checks, ends or cuts a session at some replica.
    pub async fn act(&mut self) {
        match self.number(12) {
            0 | 1 => self.start().await,
            2 => self.end().await,
            3 if self.number(2) == 0 => self.cut().await,
            _ => self.check().await,
        }
    }

    pub async fn start(&mut self) {
        let Some(flow) = self.flows.pop() else { return };
        let replica = self.replica();
        match replica.start(flow.id, flow.secret.expose()).await {
            Ok(started) => {
                self.counts.started += 1;
                self.seen.push(Seen {
                    flow,
                    started,
                    end: End::None,
                });
            }
            Err(Error::Unconfirmed | Error::Log(LogFault::Unavailable | LogFault::ClockWentBack)) => {
                self.counts.unanswered += 1;
                self.flows.insert(0, flow);
            }
            Err(error) => panic!("a start: {error:?}"),
        }
    }

    pub async fn check(&mut self) {
        let Some(which) = self.which() else { return };
        let replica = self.replica();
        let seen = &self.seen[which];
        let asked = Instant::now();
        let answer = replica.check(seen.started.token.expose()).await;
        match (answer, seen.end) {
            (Ok(checked), end) if checked.last_confirmed_at.is_none() => {
                if let End::Answered(at, _) = end {
                    assert!(
                        asked - at < KNOWN_WITHIN,
                        "a dead session lives: {:?}",
                        seen.started.session
                    );
                }
                assert_eq!(checked.session, seen.started.session);
                self.counts.alive += 1;
            }
            (Ok(_), end) => {
                if let (true, End::Answered(at, _)) = (self.told, end) {
                    assert!(
                        asked - at < KNOWN_WITHIN,
                        "nobody told: {:?}",
                        seen.started.session
                    );
                }
                self.counts.believed += 1;
            }
            (Err(Error::Over(_)), End::Asked | End::Answered(..)) => self.counts.over += 1,
            (Err(Error::Unconfirmed | Error::Log(LogFault::Unavailable)), _) => self.counts.unanswered += 1,
            (Err(error), _) => panic!("a session that nobody has ended: {error:?}"),
        }
    }

    pub async fn end(&mut self) {
        let Some(which) = self.which() else { return };
        let replica = self.replica();
        let answer = replica.end(self.seen[which].started.token.expose()).await;
        let seen = &mut self.seen[which];
        match answer {
            Ok(Ended::Recorded(position)) => {
                self.counts.ended += 1;
                seen.end = End::Answered(Instant::now(), Some(position));
            }
            Ok(Ended::Unrecorded) => {
                self.counts.unrecorded += 1;
                seen.end = End::Answered(Instant::now(), None);
            }
            Ok(Ended::Nothing) => assert!(seen.end != End::None, "nobody has ended it"),
            Err(Error::Unconfirmed | Error::Log(LogFault::Unavailable | LogFault::ClockWentBack)) => {
                self.counts.unanswered += 1;
                if seen.end == End::None {
                    seen.end = End::Asked;
                }
            }
            Err(error) => panic!("an end: {error:?}"),
        }
    }

    async fn cut(&mut self) {
        let Some(which) = self.which() else { return };
        let replica = self.replica();
        let answer = replica.cut(self.seen[which].flow.account, "test").await;
        let seen = &mut self.seen[which];
        match answer {
            Ok(_) if matches!(seen.end, End::Answered(..)) => {}
            Ok(_) => seen.end = End::Answered(Instant::now(), None),
            Err(Error::Unconfirmed | Error::Log(LogFault::Unavailable | LogFault::ClockWentBack)) => {
                self.counts.unanswered += 1;
                if seen.end == End::None {
                    seen.end = End::Asked;
                }
            }
            Err(error) => panic!("a cut: {error:?}"),
        }
    }

    /// Something else than a command has ended the sessions of an account.
    pub fn account_is_cut(&mut self, account: StreamId) {
        for seen in &mut self.seen {
            if seen.flow.account == account {
                seen.end = End::Answered(Instant::now(), None);
            }
        }
    }

    /// A session that lives, as far as anybody knows, and its account.
    pub fn some_account(&self) -> StreamId {
        let alive = self.seen.iter().find(|seen| seen.end == End::None);
        alive.unwrap().flow.account
    }

    fn which(&mut self) -> Option<usize> {
        let count = u64::try_from(self.seen.len()).unwrap();
        (count > 0).then(|| usize::try_from(self.number(count)).unwrap())
    }

    fn replica(&mut self) -> Sessions {
        let count = u64::try_from(self.replicas.len()).unwrap();
        let which = usize::try_from(self.number(count)).unwrap();
        self.replicas[which].clone()
    }

    /// xorshift64: the same actions at every run, as far as answers allow.
    fn number(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }
}

/// Holds everything against everything, once the trouble is over:
///
/// - I1: every session stands on one password and one code of its own flow and account, and each flow opened one at most;
/// - I4: whatever has ended is refused by every replica, whatever has not lives, and nobody was idle for longer than allowed;
/// - I5: every start and every end that was answered stands in the log exactly once;
/// - I6: the log is whole, and what each replica remembers is what the log says.
pub async fn verify(world: &World, replicas: &[&Replica], limits: &Limits, witnesses: &mut [Witness]) {
    for witness in &mut *witnesses {
        // Those that can answer now.
        witness.replicas = replicas.iter().map(|replica| replica.sessions.clone()).collect();
        settle(witness).await;
    }
    for replica in replicas {
        eventually("a sweep", async || replica.sessions.sweep_once().await.ok()).await;
    }
    // An end whose answer was lost may have been recorded a moment ago.
    for replica in replicas {
        eventually("the head", async || replica.log.confirm_head().await.ok()).await;
    }
    assert_eq!(world.database.faults_of_the_log().unwrap(), "0|0|0|0|0");
    replicas_agree(replicas).await;
    let log = Recorded::read(&world.otp).await;
    log.every_session_has_its_evidence();
    log.nobody_was_idle_for_too_long(limits);
    for witness in witnesses {
        for seen in &witness.seen {
            log.says_what_was_said(seen);
            for replica in replicas {
                refused_or_alive(replica, seen).await;
            }
        }
    }
}

/// Whoever had no answer asks again.
async fn settle(witness: &mut Witness) {
    let unanswered: Vec<Flow> = witness.flows.drain(..).collect();
    for flow in unanswered {
        let started = eventually("a start", async || {
            let replica = witness.replica();
            replica.start(flow.id, flow.secret.expose()).await.ok()
        })
        .await;
        witness.seen.push(Seen {
            flow,
            started,
            end: End::None,
        });
    }
    for which in 0..witness.seen.len() {
        if witness.seen[which].end != End::Asked {
            continue;
        }
        let token = witness.seen[which].started.token.clone();
        let ended = eventually("an end", async || {
            witness.replica().end(token.expose()).await.ok()
        })
        .await;
        let position = match ended {
            Ended::Recorded(position) => Some(position),
            Ended::Unrecorded | Ended::Nothing => None,
        };
        witness.seen[which].end = End::Answered(Instant::now(), position);
    }
}

/// All replicas remember the same, and what the log says.
async fn replicas_agree(replicas: &[&Replica]) {
    eventually("all replicas at one position", async || {
        let mut all = Vec::new();
        for replica in replicas {
            let verified = replica.sessions.verify(|_, _| ()).await.ok()?;
            assert!(verified.agrees(), "{verified:?}");
            all.push((verified.position, verified.digest));
        }
        all.iter().all(|one| *one == all[0]).then_some(())
    })
    .await;
}

async fn refused_or_alive(replica: &Replica, seen: &Seen) {
    let token = seen.started.token.expose();
    let answer = eventually("a sure answer", async || {
        match replica.sessions.check(token).await {
            Err(Error::Unconfirmed | Error::Log(LogFault::Unavailable)) => None,
            Ok(checked) if checked.last_confirmed_at.is_some() => None,
            sure => Some(sure),
        }
    })
    .await;
    match seen.end {
        End::Answered(..) => assert!(matches!(answer, Err(Error::Over(_))), "{answer:?}"),
        End::None | End::Asked => {
            // Time may have ended it, and nothing else.
            let idle = matches!(answer, Err(Error::Over(Why::Idle | Why::Absolute)));
            assert!(answer.is_ok() || idle, "{answer:?}");
        }
    }
}

/// The log, read once more by somebody who has no part in it.
struct Recorded {
    entries: Vec<Entry>,
}

impl Recorded {
    async fn read(log: &Log) -> Self {
        let head = log.confirm_head().await.unwrap();
        let (mut entries, mut upto) = (Vec::new(), Position(0));
        let kinds = [Kind::Account, Kind::Code, Kind::Session];
        while upto < head {
            let page = log.read(upto, head, &kinds, 5_000).await.unwrap();
            entries.extend(page.entries);
            upto = page.upto;
        }
        Self { entries }
    }

    /// All entries of a kind that this version understands.
    fn events<E: Event>(&self) -> impl Iterator<Item = (&Entry, E)> {
        let own = self.entries.iter().filter(|entry| entry.kind == E::KIND);
        own.filter_map(|entry| Some((entry, entry.event().ok()?)))
    }

    fn every_session_has_its_evidence(&self) {
        let mut flows = HashMap::new();
        for (entry, event) in self.events::<SessionEvent>() {
            let SessionEvent::SessionStarted(started) = event else {
                continue;
            };
            let recorded = &entry.recorded;
            let flow = recorded.flow.unwrap();
            assert_eq!(
                flows.insert(flow, recorded.position),
                None,
                "a flow opened two sessions"
            );
            let before = |other: &Entry| {
                other.recorded.flow == Some(flow)
                    && other.recorded.stream == recorded.stream
                    && other.recorded.position < recorded.position
            };
            let passwords = self.events::<AccountEvent>().filter(|(entry, event)| {
                before(entry)
                    && entry.recorded.position.0 == started.minted
                    && matches!(event, AccountEvent::PasswordAccepted(_))
            });
            assert_eq!(passwords.count(), 1, "a session without a password");
            let codes = self
                .events::<CodeEvent>()
                .filter(|(entry, event)| before(entry) && matches!(event, CodeEvent::CodeAccepted(_)));
            assert_eq!(codes.count(), 1, "a session without a code");
        }
    }

    /// Each use that is recorded came before the one before it was too old.
    fn nobody_was_idle_for_too_long(&self, limits: &Limits) {
        let mut active = HashMap::new();
        for (entry, event) in self.events::<SessionEvent>() {
            match event {
                SessionEvent::SessionStarted(started) => {
                    active.insert(started.session_id, entry.recorded.recorded_at);
                }
                SessionEvent::SessionExtended(extended) => {
                    let at = sekisho_proto::from_timestamp(extended.active_at.as_ref().unwrap()).unwrap();
                    let before = active.get_mut(&extended.session_id).unwrap();
                    assert!(at < *before + limits.idle, "extended after its deadline");
                    *before = at.max(*before);
                }
                SessionEvent::SessionEnded(_) | SessionEvent::SessionsCut(_) => {}
            }
        }
    }

    fn says_what_was_said(&self, seen: &Seen) {
        let Started {
            token,
            session,
            position,
            ..
        } = &seen.started;
        let id = session.to_vec();
        let starts = self.events::<SessionEvent>().filter(
            |(_, event)| matches!(event, SessionEvent::SessionStarted(started) if started.session_id == id),
        );
        let starts: Vec<_> = starts.map(|(entry, _)| entry.recorded.position).collect();
        assert_eq!(
            starts,
            [*position],
            "a start that was answered stands in the log once"
        );
        let by_token = self.events::<SessionEvent>().filter(|(_, event)| {
            matches!(event, SessionEvent::SessionStarted(started) if started.token_digest == token.digest().0)
        });
        assert_eq!(by_token.count(), 1);
        let ends = self.ends(*session);
        assert!(ends.len() <= 1, "a session ends once");
        if let End::Answered(_, Some(answered)) = seen.end {
            assert_eq!(
                ends,
                [answered],
                "an end that was answered stands where it was said"
            );
        }
        if let End::Answered(_, None) = seen.end {
            let cut = self.events::<SessionEvent>().any(|(entry, event)| {
                entry.recorded.stream == seen.flow.account && matches!(event, SessionEvent::SessionsCut(_))
            });
            let unknown = self.entries.iter().any(|entry| {
                entry.recorded.stream == seen.flow.account && entry.event_type == "something_new"
            });
            assert!(
                cut || unknown || ends.len() == 1,
                "an end that was answered stands nowhere"
            );
        }
    }

    fn ends(&self, session: SessionId) -> Vec<Position> {
        let id = session.to_vec();
        let ends = self.events::<SessionEvent>().filter(|(_, event)| match event {
            SessionEvent::SessionEnded(ended) => ended.session_ids.contains(&id),
            SessionEvent::SessionStarted(started) => started.ended.contains(&id),
            SessionEvent::SessionExtended(_) | SessionEvent::SessionsCut(_) => false,
        });
        ends.map(|(entry, _)| entry.recorded.position).collect()
    }
}
