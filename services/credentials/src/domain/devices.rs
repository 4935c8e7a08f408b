//! Browsers in which the password was right once: strangers cannot lock them out (OWASP, device cookies).

use sekisho_eventlog::Position;
use sekisho_evidence::Cuts;

use super::lockout::Failures;

/// Browsers that an account remembers. A newer one pushes out the oldest.
const MOST: usize = 10;

/// What the log keeps of a device cookie: a keyed digest of account and cookie, so that nobody finds the same browser
/// under two accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device(pub [u8; 32]);

/// A browser in which the password was accepted or set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownDevice {
    /// Which.
    pub device: Device,
    /// Where that was last recorded; decides against cuts.
    pub since: Position,
    /// Wrong passwords in it.
    pub failures: Failures,
}

/// The newest known browsers of an account, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Devices(Vec<KnownDevice>);

impl Devices {
    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &KnownDevice> {
        self.0.iter()
    }

    /// The browser, if it is known and no cut came after it. One in which a password was set is known since that cut.
    pub fn known(&self, device: Device, cuts: Cuts) -> Option<&KnownDevice> {
        self.get(device).filter(|known| known.since >= cuts.all)
    }

    /// The browser, whatever came after it.
    pub fn get(&self, device: Device) -> Option<&KnownDevice> {
        self.0.iter().find(|known| known.device == device)
    }

    /// A browser in which the password is right now: the newest, without failures.
    #[must_use]
    pub fn with(mut self, device: Device, since: Position) -> Self {
        self.0.retain(|known| known.device != device);
        self.0.push(KnownDevice {
            device,
            since,
            failures: Failures::default(),
        });
        let surplus = self.0.len().saturating_sub(MOST);
        self.0.drain(..surplus);
        self
    }

    /// The failures of one browser changed.
    #[must_use]
    pub fn changed(mut self, device: Device, change: impl FnOnce(Failures) -> Failures) -> Self {
        if let Some(known) = self.0.iter_mut().find(|known| known.device == device) {
            known.failures = change(known.failures);
        }
        self
    }

    /// The failures of all of them changed.
    #[must_use]
    pub fn all_changed(mut self, change: impl Fn(Failures) -> Failures) -> Self {
        for known in &mut self.0 {
            known.failures = change(known.failures);
        }
        self
    }
}

impl FromIterator<KnownDevice> for Devices {
    fn from_iter<I: IntoIterator<Item = KnownDevice>>(devices: I) -> Self {
        Self(devices.into_iter().take(MOST).collect())
    }
}

impl Device {
    /// As an event holds it; `None` for an empty one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(number: u8) -> Device {
        Device([number; 32])
    }

    fn cut_at(position: u64) -> Cuts {
        Cuts {
            all: Position(position),
            flows: Position(0),
        }
    }

    #[test]
    fn the_ten_newest_are_remembered() {
        let mut devices = Devices::default();
        for number in 1..=11 {
            devices = devices.with(device(number), Position(number.into()));
        }
        assert_eq!(devices.known(device(1), Cuts::default()), None);
        assert!(devices.known(device(2), Cuts::default()).is_some());
        let devices = devices
            .with(device(2), Position(20))
            .with(device(12), Position(21));
        assert!(devices.known(device(2), Cuts::default()).is_some());
        assert_eq!(devices.known(device(3), Cuts::default()), None);
        assert_eq!(devices.iter().count(), 10);
    }

    #[test]
    fn a_cut_ends_what_was_known_before_it() {
        let devices = Devices::default().with(device(1), Position(10));
        assert!(devices.known(device(1), cut_at(9)).is_some());
        assert!(devices.known(device(1), cut_at(10)).is_some());
        assert_eq!(devices.known(device(1), cut_at(11)), None);
        assert_eq!(devices.known(device(2), Cuts::default()), None);
    }
}
