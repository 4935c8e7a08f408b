//! State that every 64th entry carries.

use sekisho_eventlog::{
    CARRY_EVERY, Carry, Context, DecideError, Decision, Fold, Loaded, ReadError, Recorded, Version,
};
use sekisho_proto::events::{CodeEvent, SessionEvent};
use sekisho_proto::sessions::v1::SessionsCut;

use super::support::{Db, Tally, append, following, issued, recorded, stream};

/// The same fold in another version: no carried state is of use to it.
#[derive(Debug, Clone, PartialEq, Default)]
struct NewerTally(Tally);

impl Fold for NewerTally {
    type Event = CodeEvent;
    const VERSION: u32 = 2;

    fn evolve(self, event: &CodeEvent, recorded: &Recorded) -> Self {
        Self(self.0.evolve(event, recorded))
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        panic!("the state of another version was resumed: {bytes:?}")
    }
}

/// A state that is too large for an entry.
#[derive(Debug, Clone, PartialEq, Default)]
struct Large(Tally);

impl Fold for Large {
    type Event = CodeEvent;
    const VERSION: u32 = 1;

    fn evolve(self, event: &CodeEvent, recorded: &Recorded) -> Self {
        Self(self.0.evolve(event, recorded))
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        Tally::resume(bytes).map(Self)
    }
}

impl Carry for Large {
    fn carry(&self) -> Vec<u8> {
        [self.0.carry(), vec![0; 8200]].concat()
    }
}

/// Appends as many entries to stream 1 as a service would.
async fn grow<F: Carry<Event = CodeEvent>>(db: &Db, entries: u64) -> sekisho_eventlog::Log {
    let log = db.log().await;
    for _ in 0..entries {
        let loaded = log.load::<F>(stream(1)).await.unwrap();
        let draft = following(&loaded, stream(1), &issued(loaded.version.0 * 7));
        recorded(append(&log, &draft).await);
    }
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_65_folds_equal_with_and_without_the_carried_state() {
    let db = Db::new().await;
    let log = grow::<Tally>(&db, 64).await;
    for entries in [65, 66, 67] {
        let loaded = log.load::<Tally>(stream(1)).await.unwrap();
        recorded(append(&log, &following(&loaded, stream(1), &issued(99))).await);
        let with = log.load::<Tally>(stream(1)).await.unwrap();
        let without = log.load::<NewerTally>(stream(1)).await.unwrap();
        assert_eq!(with.state, without.state.0);
        assert_eq!(with.version, Version(entries));
        assert_eq!(with.state.count, entries);
    }
    let carrying = "select version from log.entry where length(payload) > (select length(payload) from log.entry where version = 63);";
    assert_eq!(db.sql(carrying), CARRY_EVERY.to_string());
}

/// The same fold in another version, with carried states of its own.
#[derive(Debug, Clone, PartialEq, Default)]
struct Renewed(Tally);

impl Fold for Renewed {
    type Event = CodeEvent;
    const VERSION: u32 = 2;

    fn evolve(self, event: &CodeEvent, recorded: &Recorded) -> Self {
        Self(self.0.evolve(event, recorded))
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        Tally::resume(bytes).map(Self)
    }
}

impl Carry for Renewed {
    fn carry(&self) -> Vec<u8> {
        self.0.carry()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_new_version_of_the_fold_the_next_entry_carries_it() {
    let db = Db::new().await;
    let log = grow::<Tally>(&db, 70).await;
    let bound = "select version, load_from from log.stream;";
    assert_eq!(db.sql(bound), "70|64");
    for expected in ["71|71", "72|71"] {
        let loaded = log.load::<Renewed>(stream(1)).await.unwrap();
        recorded(append(&log, &following(&loaded, stream(1), &issued(1))).await);
        assert_eq!(db.sql(bound), expected);
    }
    let loaded = log.load::<Renewed>(stream(1)).await.unwrap();
    assert_eq!(loaded.state.0.count, 72);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_begins_at_the_newest_carried_state() {
    let db = Db::new().await;
    let log = grow::<Tally>(&db, 130).await;
    assert_eq!(db.sql("select version, load_from from log.stream;"), "130|128");
    let before = log.load::<Tally>(stream(1)).await.unwrap();
    // Nothing before the bound is looked at: damage there is not seen.
    db.sql("update log.entry set event_type = 'nonsense' where version < 128;");
    assert_eq!(log.load::<Tally>(stream(1)).await.unwrap(), before);
    assert!(matches!(
        log.load::<NewerTally>(stream(1)).await,
        Err(ReadError::Unknown(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_beginning_is_gone_is_never_an_empty_one() {
    let db = Db::new().await;
    let log = grow::<Tally>(&db, 66).await;
    // The newest entry stays: without it the log as a whole has gone back, which is another matter.
    let newest = following(&Loaded::<Tally>::default(), stream(2), &issued(1));
    recorded(append(&log, &newest).await);
    db.sql(&format!(
        "delete from log.entry where stream_id = '{}' and version < 64;",
        stream(1)
    ));
    assert_eq!(log.load::<Tally>(stream(1)).await.unwrap().state.count, 66);
    let gone = log.load::<NewerTally>(stream(1)).await;
    assert!(matches!(gone, Err(ReadError::Unknown(_))), "{gone:?}");
    db.sql(&format!(
        "delete from log.entry where stream_id = '{}';",
        stream(1)
    ));
    let gone = log.load::<Tally>(stream(1)).await;
    assert!(matches!(gone, Err(ReadError::Unknown(_))), "{gone:?}");
    assert_eq!(log.load::<Tally>(stream(3)).await.unwrap(), Loaded::default());
}

/// How many sessions were cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct CutTally(u64);

impl Fold for CutTally {
    type Event = SessionEvent;
    const VERSION: u32 = 1;

    fn evolve(self, _: &SessionEvent, _: &Recorded) -> Self {
        Self(self.0 + 1)
    }

    fn resume(_: &[u8]) -> Option<Self> {
        None
    }
}

impl Carry for CutTally {
    fn carry(&self) -> Vec<u8> {
        Vec::new()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_states_of_two_streams_of_one_id_are_those_of_each() {
    let db = Db::new().await;
    let log = grow::<Tally>(&db, 66).await;
    let (codes, sessions) = log.load_both::<Tally, CutTally>(stream(1)).await.unwrap();
    assert_eq!((codes.version, sessions), (Version(66), Loaded::default()));
    let sessions_log = db.log_as("sessions").await;
    for _ in 0..2 {
        let decided: Result<_, DecideError<()>> = sessions_log
            .decide::<CutTally, ()>(&Context::new(stream(1), None, "test"), |_| {
                Ok(Decision::Record(SessionsCut::default().into()))
            })
            .await;
        decided.unwrap();
    }
    let (codes, sessions) = log.load_both::<Tally, CutTally>(stream(1)).await.unwrap();
    assert_eq!(Some(&codes), log.load::<Tally>(stream(1)).await.ok().as_ref());
    assert_eq!((sessions.state, sessions.version), (CutTally(2), Version(2)));
    // Of one stream the carried state is of no use.
    let (sessions, codes) = log.load_both::<CutTally, NewerTally>(stream(1)).await.unwrap();
    assert_eq!((sessions.version, codes.state.0.count), (Version(2), 66));
    db.sql("delete from log.entry where kind = 'session';");
    let gone = log.load_both::<Tally, CutTally>(stream(1)).await;
    assert!(matches!(gone, Err(ReadError::Unknown(_))), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_too_large_to_be_carried_stops_no_stream() {
    let db = Db::new().await;
    let log = grow::<Large>(&db, 66).await;
    assert_eq!(db.sql("select version, load_from from log.stream;"), "66|1");
    assert_eq!(log.load::<Tally>(stream(1)).await.unwrap().state.count, 66);
}
