//! What is locked of an account, for administrators.

use sekisho_evidence::{Bucket, Cuts, Shut, WrongCodes};
use sekisho_proto::otp::v1::Purpose;
use time::OffsetDateTime;

use super::{Failures, History};

/// Something that is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// What.
    pub what: Locked,
    /// Until when; `None` if it does not end by itself.
    pub until: Option<OffsetDateTime>,
}

/// What can be locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// Every browser in which the password was never right.
    UnknownBrowsers,
    /// One of those in which it was.
    KnownBrowser,
    /// The codes of sign-ins.
    SignInCodes,
    /// Those of resets.
    ResetCodes,
}

impl History {
    /// What is locked at a moment; `cuts` are those of the streams beside the account's own.
    pub fn locks(&self, wrong_codes: &WrongCodes, cuts: Cuts, now: OffsetDateTime) -> Vec<Lock> {
        let unknown = of_failures(Locked::UnknownBrowsers, self.unknown_browsers, now);
        let known = self.devices.iter().filter_map(|known| {
            self.devices.known(known.device, self.cuts.and(cuts))?;
            of_failures(Locked::KnownBrowser, known.failures, now)
        });
        let of_codes = |what, bucket| {
            let until = match wrong_codes.shut(bucket, self.pardon, now)? {
                Shut::Locked { until } => Some(until),
                Shut::Closed => None,
            };
            Some(Lock { what, until })
        };
        let codes = [
            (Locked::SignInCodes, Bucket::of(Purpose::SignIn, true)),
            (Locked::ResetCodes, Bucket::of(Purpose::Reset, false)),
            (Locked::ResetCodes, Bucket::of(Purpose::Reset, true)),
        ];
        let codes = codes
            .into_iter()
            .filter_map(|(what, bucket)| of_codes(what, bucket));
        unknown.into_iter().chain(known).chain(codes).collect()
    }
}

fn of_failures(what: Locked, failures: Failures, now: OffsetDateTime) -> Option<Lock> {
    let until = failures.locked_until.filter(|until| now < *until);
    (failures.closed || until.is_some()).then_some(Lock {
        what,
        until: until.filter(|_| !failures.closed),
    })
}
