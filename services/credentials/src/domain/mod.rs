//! The rule book of accounts and passwords. Pure: time, ids, random values and verdicts come in with a command.

mod account;
mod address;
mod blocklist;
mod carried;
pub mod client;
mod command;
mod decide;
mod declaration;
mod devices;
mod identity;
mod lockout;
mod locks;
mod login_id;
mod password;
mod profile;
mod rules;

pub use account::{Account, History, LastReset, Password, Stage};
pub use address::{Address, AddressError};
pub use blocklist::Blocklist;
pub use command::{Command, Comparison, Finding, Rejection, Verdict, Vouched};
pub use decide::decide;
pub use declaration::{Change, Declaration, DeclarationError, Declared, Existing, Missing};
pub use devices::{Device, Devices, KnownDevice};
pub use identity::{Identity, SubjectError, SubjectIdentifier};
pub use lockout::{Failures, Lockout};
pub use locks::{Lock, Locked};
pub use login_id::{LoginId, TypedLogin};
pub use password::{LONGEST as LONGEST_PASSWORD, NewPassword, PasswordError, TypedPassword};
pub use profile::{Profile, ProfileError};
pub use rules::{InitialPasswords, NewPasswords, Rules};

#[cfg(test)]
mod decide_tests;
