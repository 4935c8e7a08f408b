//! The rule book of accounts and passwords. Pure: time, ids, random values and verdicts come in with a command.

mod account;
mod address;
mod carried;
mod command;
mod decide;
mod devices;
mod lockout;
mod login_id;
mod password;
mod profile;

pub use account::{Account, History, Stage};
pub use address::{Address, AddressError};
pub use command::{Command, Comparison, Finding, Rejection, Verdict};
pub use decide::decide;
pub use devices::{Device, Devices, KnownDevice};
pub use lockout::{Failures, Lockout};
pub use login_id::{LoginId, TypedLogin};
pub use password::{LengthError, NewPassword, TypedPassword};
pub use profile::{Profile, ProfileError};

#[cfg(test)]
mod decide_tests;
