//! The rule book of codes, pure: state, commands, events, `decide` and `evolve`.
//!
//! Time, random values and findings come in with the command; nothing here reads a clock, a key or a code.

mod carried;
mod command;
mod decide;
mod evolve;
mod limits;
mod mail;
mod notice;
mod sent;
mod standing;
mod state;
mod view;

pub use command::{Command, Finding, Rejection, Subject};
pub use limits::{
    CLOSED_AT, CODE_LIFE, FLOW_AGE, FLOW_IDLE, LAST_HAND_OVER, LOCK, LOCKED_EACH, MAX_KEY_ID, NOTICE_PAUSE,
    RESEND_WAIT, TRIES, too_late_to_mail,
};
pub use mail::{Letter, NoHandOver};
pub use notice::Notice;
pub use sent::{Pace, Sent};
pub use standing::{MailFate, Standing};
pub use state::{Codes, FlowCodes, Issued, Mail, Stage};
pub use view::{View, ViewStage};

#[cfg(test)]
mod decide_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod sample;
