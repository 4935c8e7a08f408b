//! NCRアカウントでサインイン: to the provider and back (screens 2.10).

pub mod callback;
pub mod start;

use axum::response::Redirect;
use sekisho_service::enquiry::Enquiry;

use super::to_sign_in;
use crate::cookies::Cookies;
use crate::notes::{Note, StaffMessage};

/// `/signin`, which says what came of it.
fn say(cookies: &mut Cookies, message: StaffMessage, enquiry: Enquiry) -> Redirect {
    let enquiry = enquiry.to_string();
    tracing::info!(enquiry, ?message, "no sign-in with an NCR account");
    to_sign_in(cookies, &Note::Staff { message, enquiry })
}
