//! What this process knows of the log: its newest entry, its epochs, and whether it is still the same log.

use tokio::sync::watch;

use crate::ids::{EventId, Position};

/// An entry as a process remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Its position; 0 while the log is empty.
    pub position: Position,
    /// Its event; `None` while the log is empty.
    pub event_id: Option<EventId>,
}

/// How far something has come in the log: a position of one history. Whatever has come anywhere in a newer one is further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mark {
    /// How many logs this process has given up for the one that took their place.
    pub history: u64,
    /// How far in that one.
    pub position: Position,
}

/// Every EpochStarted, in order; whatever was minted before the newest one is cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Epochs(pub Vec<Head>);

impl Epochs {
    /// Where the newest one stands; 0 before the first.
    pub fn newest(&self) -> Position {
        self.0.last().map_or(Position(0), |epoch| epoch.position)
    }

    fn has_all_of(&self, others: &Self) -> bool {
        others.0.iter().all(|other| self.0.contains(other))
    }
}

/// What PostgreSQL answers to who asks for the head.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The newest entry; not older than the one that was asked about, if there is such a one.
    pub newest: Option<Head>,
    /// Whether the log holds the entry that was asked about.
    pub stands: bool,
    /// Every epoch, in order.
    pub epochs: Epochs,
}

/// What this process knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Known {
    /// The newest entry.
    pub head: Head,
    /// Every epoch.
    pub epochs: Epochs,
    /// The log is not the one that this process has read.
    pub went_back: bool,
    /// Goes up with every log that takes the place of one that went back.
    pub history: u64,
}

/// Shares what is known between the poller, the writer and everybody who waits for a position.
#[derive(Debug, Clone)]
pub(crate) struct Heads {
    known: watch::Sender<Known>,
}

impl Heads {
    /// Knows what the first answer says.
    pub fn new(answer: Answer) -> Self {
        Self {
            known: watch::Sender::new(Known {
                head: answer.newest.unwrap_or_default(),
                epochs: answer.epochs,
                ..Known::default()
            }),
        }
    }

    /// What is known now.
    pub fn known(&self) -> watch::Ref<'_, Known> {
        self.known.borrow()
    }

    /// An append of this process stands in the log.
    pub fn saw(&self, position: Position, event_id: EventId) {
        self.known.send_if_modified(|known| {
            known.advance(Head {
                position,
                event_id: Some(event_id),
            })
        });
    }

    /// The log itself was asked, by who knew `asked`. Answers whether it is still the same one.
    ///
    /// A log that has gone back is taken for the true one only when it begins an epoch that this process has never heard
    /// of: then somebody has looked at it.
    pub fn hear(&self, asked: &Known, answer: Answer) -> bool {
        let mut stands = true;
        self.known.send_if_modified(|known| {
            // Asked about a log that is given up meanwhile.
            if known.history != asked.history {
                return false;
            }
            if !known.went_back && answer.stands {
                let began = answer.epochs.newest() > known.epochs.newest();
                if began {
                    known.epochs = answer.epochs;
                }
                return answer.newest.is_some_and(|newest| known.advance(newest)) || began;
            }
            if asked.went_back && !known.epochs.has_all_of(&answer.epochs) {
                *known = Known {
                    head: answer.newest.unwrap_or_default(),
                    epochs: answer.epochs,
                    went_back: false,
                    history: known.history + 1,
                };
                return true;
            }
            stands = false;
            let noticed = !known.went_back;
            known.went_back = true;
            noticed
        });
        stands
    }

    /// Wakes when something becomes known.
    pub fn watch(&self) -> watch::Receiver<Known> {
        self.known.subscribe()
    }
}

impl Known {
    fn advance(&mut self, head: Head) -> bool {
        let newer = head.position > self.head.position;
        if newer {
            self.head = head;
        }
        newer
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn head(position: u64, event: u128) -> Head {
        Head {
            position: Position(position),
            event_id: Some(EventId(Uuid::from_u128(event))),
        }
    }

    fn answer(newest: Option<Head>, stands: bool, epochs: &[Head]) -> Answer {
        Answer {
            newest,
            stands,
            epochs: Epochs(epochs.to_vec()),
        }
    }

    fn hear(heads: &Heads, answer: Answer) -> bool {
        let asked = heads.known().clone();
        heads.hear(&asked, answer)
    }

    #[test]
    fn a_log_that_went_back_is_refused_until_it_begins_an_epoch_that_nobody_knows() {
        let (first, second) = (head(5, 5), head(9, 9));
        let heads = Heads::new(answer(Some(second), true, &[first, second]));
        assert!(!hear(&heads, answer(None, false, &[first])), "shorter");
        assert!(heads.known().went_back);
        // Also when the copy is as long as the log was, and an epoch of old is its newest.
        assert!(!hear(&heads, answer(Some(head(9, 90)), true, &[first])));
        let anew = head(10, 100);
        assert!(hear(&heads, answer(Some(anew), true, &[first, anew])));
        let known = heads.known();
        assert_eq!(
            (known.head, known.epochs.newest(), known.history),
            (anew, anew.position, 1)
        );
        assert!(!known.went_back);
    }

    #[test]
    fn an_epoch_of_the_same_log_moves_the_head_and_nothing_else() {
        let heads = Heads::new(answer(Some(head(1, 1)), true, &[]));
        let epoch = head(2, 2);
        assert!(hear(&heads, answer(Some(epoch), true, &[epoch])));
        assert_eq!(heads.known().epochs.newest(), Position(2));
        assert_eq!(heads.known().history, 0);
    }

    #[test]
    fn an_answer_about_a_history_that_is_given_up_says_nothing() {
        let heads = Heads::new(answer(Some(head(3, 3)), true, &[]));
        let early = heads.known().clone();
        assert!(!hear(&heads, answer(None, false, &[])));
        let epoch = head(2, 20);
        assert!(hear(&heads, answer(Some(epoch), true, &[epoch])));
        assert!(heads.hear(&early, answer(None, false, &[])));
        assert!(!heads.known().went_back);
    }
}
