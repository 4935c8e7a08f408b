//! What each command leads to, as stories.

mod cancelling;
mod issuing;
mod mailing;
mod notices;
mod pace;
mod remembering;
mod shut;
mod typing;

use sekisho_eventlog::{Carry, Decision, FlowId, Fold, Position};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::to_timestamp;
use time::Duration;
use uuid::Uuid;

use super::sample::*;
use super::*;

const TEN_MINUTES: Duration = Duration::minutes(10);
const A_MOMENT: Duration = Duration::microseconds(1);
