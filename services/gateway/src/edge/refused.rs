//! Forms that the gateway refused, gathered by where they came from, so that a flood of them is one entry a minute in the
//! log of sign-ins.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::backends::Backends;

/// Between two reports.
const EVERY: Duration = Duration::from_secs(20);
/// Addresses that are gathered at a time; what comes from further ones stands in the gateway's own log only.
const MOST: usize = 1_000;

/// Refused forms since the last report, by network. Cheap to clone.
#[derive(Clone, Default)]
pub struct RefusedForms(Arc<Mutex<HashMap<String, u64>>>);

impl RefusedForms {
    /// One more.
    pub fn note(&self, address: &str) {
        self.add(network(address), 1);
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

/// What a customer of a provider has of IPv6 is a network of 64 bits: however many addresses of it are used, it is one.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => {
            let network = u128::from(address) >> 64 << 64;
            Ipv6Addr::from(network).to_string()
        }
        Ok(IpAddr::V4(_)) | Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ipv6_a_network_is_counted_and_not_an_address() {
        let forms = RefusedForms::default();
        for number in 0..2 * MOST {
            forms.note(&format!("2001:db8::{number:x}"));
        }
        forms.note("2001:db8:0:1::1");
        forms.note("192.0.2.1");
        let gathered = forms.take();
        assert_eq!(gathered.len(), 3);
        assert_eq!(gathered["2001:db8::"], 2 * u64::try_from(MOST).unwrap());
    }

    #[test]
    fn of_however_many_addresses_so_many_are_gathered_and_those_go_on_to_count() {
        let forms = RefusedForms::default();
        for number in 0..2 * MOST {
            forms.note(&number.to_string());
        }
        forms.note("0");
        let gathered: HashMap<String, u64> = forms.take().into_iter().collect();
        assert_eq!(gathered.len(), MOST);
        assert_eq!(gathered["0"], 2);
    }
}
