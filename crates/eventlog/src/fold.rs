//! State as a fold of a stream.

use sekisho_proto::{Event, EventError};

use crate::entry::{Entry, Recorded};
use crate::ids::Version;

/// State that is folded from one stream. Pure: `evolve` has no rules and cannot fail.
pub trait Fold: Clone + Default + Send + Sync + 'static {
    /// The events of the stream.
    type Event: Event;

    /// The version of what [`Carry::carry`] writes for this stream. States carried by another version are ignored.
    const VERSION: u32;

    /// The state after one more event.
    #[must_use]
    fn evolve(self, event: &Self::Event, recorded: &Recorded) -> Self;

    /// The state from carried bytes; `None` when they are none.
    fn resume(bytes: &[u8]) -> Option<Self>;
}

/// The fold of the service that writes a stream: every 64th entry carries it. Readers may fold less from the same
/// bytes.
pub trait Carry: Fold {
    /// The whole state as bytes.
    fn carry(&self) -> Vec<u8>;
}

/// The state of a stream at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded<F> {
    /// The folded state.
    pub state: F,
    /// The version of the newest folded entry; 0 for an empty stream.
    pub version: Version,
    /// Whether the stream carries a state that was of no use, so that all of it was folded: the next entry carries one that is.
    pub refolded: bool,
}

impl<F: Fold> Default for Loaded<F> {
    fn default() -> Self {
        Self {
            state: F::default(),
            version: Version::default(),
            refolded: false,
        }
    }
}

/// Folds entries of one stream, in order. The first must be version 1 or carry a state of this fold's version:
/// else, and without any entry, the answer is `Ok(None)`, and the caller reads from further back.
///
/// # Errors
/// [`EventError`] for an event of a newer version: a fold that decides must not skip it.
pub fn refold<F: Fold>(entries: &[Entry]) -> Result<Option<Loaded<F>>, EventError> {
    let Some(first) = entries.first() else {
        return Ok(None);
    };
    let start = if first.recorded.version == Version(1) {
        Some(F::default())
    } else {
        carried(first)
    };
    let Some(mut state) = start else { return Ok(None) };
    let mut newest = first.recorded.version;
    for entry in entries {
        state = state.evolve(&entry.event()?, &entry.recorded);
        newest = entry.recorded.version;
    }
    Ok(Some(Loaded {
        state,
        version: newest,
        refolded: false,
    }))
}

fn carried<F: Fold>(entry: &Entry) -> Option<F> {
    let carried = entry.payload.as_ref()?.carried.as_ref()?;
    (carried.fold_version == F::VERSION)
        .then(|| F::resume(&carried.state))
        .flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sekisho_proto::events::CodeEvent;
    use sekisho_proto::log::v1::{Carried, Metadata, Payload};
    use sekisho_proto::otp::v1::CodeRejected;
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use crate::ids::{EventId, Position, StreamId};

    /// Every issue in order.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    struct Issues(Vec<u8>);

    impl Fold for Issues {
        type Event = CodeEvent;
        const VERSION: u32 = 3;

        fn evolve(mut self, event: &CodeEvent, _: &Recorded) -> Self {
            if let CodeEvent::CodeRejected(rejected) = event {
                self.0.extend(u8::try_from(rejected.issue));
            }
            self
        }

        fn resume(bytes: &[u8]) -> Option<Self> {
            Some(Self(bytes.to_vec()))
        }
    }

    /// The entries of a stream with these issues; some carry the issues before them.
    fn stream(issues: &[u8], carries: impl Fn(usize) -> bool, fold_version: u32) -> Vec<Entry> {
        let entry = |nth: usize| {
            let event = CodeEvent::from(CodeRejected {
                issue: issues[nth].into(),
                ..CodeRejected::default()
            });
            let payload = Payload {
                event: event.encode(),
                carried: carries(nth).then(|| Carried {
                    fold_version,
                    state: issues[..nth].to_vec(),
                }),
            };
            let event_type = event.event_type().to_owned();
            let recorded = recorded(nth as u64 + 1);
            Entry::new(
                recorded,
                CodeEvent::KIND,
                event_type,
                payload,
                &Metadata::default(),
            )
        };
        (0..issues.len()).map(entry).collect()
    }

    fn recorded(version: u64) -> Recorded {
        Recorded {
            position: Position(version),
            version: Version(version),
            stream: StreamId(Uuid::nil()),
            event_id: EventId(Uuid::nil()),
            flow: None,
            recorded_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    proptest! {
        #[test]
        fn a_stream_folds_equal_from_every_state_that_it_carries(
            issues in proptest::collection::vec(any::<u8>(), 1..200),
            every in 1_usize..70,
        ) {
            let entries = stream(&issues, |nth| nth % every == 0, Issues::VERSION);
            let whole = refold::<Issues>(&entries).unwrap().unwrap();
            prop_assert_eq!(&whole.state.0, &issues);
            for first in (0..entries.len()).step_by(every) {
                let part = refold::<Issues>(&entries[first..]).unwrap();
                prop_assert_eq!(part.as_ref(), Some(&whole));
            }
        }
    }

    #[test]
    fn entries_without_a_beginning_fold_to_nothing() {
        let entries = stream(&[1, 2, 3], |nth| nth == 1, Issues::VERSION + 1);
        assert_eq!(
            refold::<Issues>(&entries[1..]),
            Ok(None),
            "carried by another version"
        );
        assert_eq!(refold::<Issues>(&entries[2..]), Ok(None), "carries nothing");
        assert_eq!(refold::<Issues>(&[]), Ok(None));
    }
}
