//! Forms that the gateway refused, gathered by where they came from, so that a flood of them is one entry a minute in the
//! log of sign-ins.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::backends::Backends;

/// Between two reports.
const EVERY: Duration = Duration::from_secs(20);
/// Addresses that are gathered at a time; what comes from further ones stands in the gateway's own log only.
const MOST: usize = 1_000;

/// Refused forms since the last report, by address. Cheap to clone.
#[derive(Clone, Default)]
pub struct RefusedForms(Arc<Mutex<HashMap<String, u64>>>);

impl RefusedForms {
    /// One more.
    pub fn note(&self, address: String) {
        self.add(address, 1);
    }

    fn add(&self, address: String, more: u64) {
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if forms.len() < MOST || forms.contains_key(&address) {
            *forms.entry(address).or_default() += more;
        }
    }

    /// Tells credentials of them, for ever.
    pub async fn report(&self, backends: &Backends) -> Infallible {
        let mut rounds = interval(EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.report_once(backends).await;
        }
    }

    /// Tells credentials of what was gathered. What could not be told is told the next time.
    pub async fn report_once(&self, backends: &Backends) {
        for (address, forms) in self.take() {
            if backends.note_refused_forms(address.clone(), forms).await.is_err() {
                self.add(address, forms);
            }
        }
    }

    fn take(&self) -> HashMap<String, u64> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_however_many_addresses_so_many_are_gathered_and_those_go_on_to_count() {
        let forms = RefusedForms::default();
        for number in 0..2 * MOST {
            forms.note(number.to_string());
        }
        forms.note("0".to_owned());
        let gathered: HashMap<String, u64> = forms.take().into_iter().collect();
        assert_eq!(gathered.len(), MOST);
        assert_eq!(gathered["0"], 2);
    }
}
