//! What the log proves about a flow: evidence and cuts.
//!
//! Every gate opens on what this crate reads from the log, never on a caller's word: credentials, otp and sessions
//! share one fold of a flow and one rule for cuts. Pure but for [`newest_cuts`] and its like, which load streams.

mod command;
mod cuts;
mod flow;
mod notice;
mod phantom;
mod refusal;
mod secret;
mod wrong_codes;

pub use command::{CommandId, CommandIdError};
pub use cuts::{
    ACCOUNT_FOLD, AccountCuts, Cuts, SESSIONS_FOLD, SessionCuts, account_cuts, newest_account, newest_cuts,
    pardons, session_cuts,
};
pub use flow::{EVIDENCE_LIFE, Flow, Mint, Minted, Proof};
pub use notice::{NOTICE_LIFE, notice};
pub use phantom::is_phantom;
pub use refusal::Refusal;
pub use secret::secret_digest;
pub use wrong_codes::{Bucket, CODES_FOLD, Shut, WrongCodes, wrong_codes};
