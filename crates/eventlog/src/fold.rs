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
}

impl<F: Fold> Default for Loaded<F> {
    fn default() -> Self {
        Self {
            state: F::default(),
            version: Version::default(),
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
    }))
}

fn carried<F: Fold>(entry: &Entry) -> Option<F> {
    let carried = entry.payload.carried.as_ref()?;
    (carried.fold_version == F::VERSION)
        .then(|| F::resume(&carried.state))
        .flatten()
}
