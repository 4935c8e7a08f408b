//! パスワードの再設定: login id, code, new password, done. Nothing that these pages show or how long they take tells whether
//! anybody has the login id.

pub mod cancel;
pub mod code;
pub mod done;
pub mod forgot;
pub mod new;

use axum::response::{IntoResponse, Redirect, Response};

use crate::Gateway;
use crate::backends::{Fault, Reason};
use crate::cookies::{Cookies, Flow, Past, Reset};
use crate::notes::{ForgotMessage, Note, SignInMessage};
use crate::pages::to_sign_in;
use crate::refusal::{Place, Refusal, Stop};
use crate::typing;

/// Has the code mailed and goes on to the page that asks for it, which is the same whatever becomes of the mail.
///
/// # Errors
/// When the code could not be asked for.
pub(super) async fn begin(
    gateway: &Gateway,
    cookies: &mut Cookies,
    reset: &Reset,
    command: Vec<u8>,
) -> Result<Redirect, Refusal> {
    match gateway.backends.issue_code(&reset.flow, command).await {
        // The next page says so, whoever asks.
        Ok(()) | Err(Fault::Refused(Reason::CodesShut)) => {}
        Err(fault) => return Err(fault.refusal(Place::Reset)),
    }
    cookies.keep(reset);
    cookies.forget::<Past>();
    Ok(Redirect::to("/password/forgot/code"))
}

/// A reset that credentials minted for what was typed.
pub(super) fn reset(flow: Flow, typed: &str, must_change: bool) -> Reset {
    Reset {
        flow,
        typed: typing::to_fill_in(typing::tidy(typed)),
        must_change,
    }
}

/// The reset of the request.
///
/// # Errors
/// To `/password/forgot` without one: it is over, its cookie is lost, or it belongs to the other host. To where it has led, if it came to
/// its end.
fn current(cookies: &mut Cookies) -> Result<Reset, Stop> {
    if let Some(reset) = cookies.read() {
        return Ok(reset);
    }
    Err(match cookies.read() {
        Some(Past::PasswordChanged) => Redirect::to("/password/forgot/done").into_response(),
        Some(Past::ResetCancelled) => {
            let redirect = to_sign_in(cookies, &SignInMessage::ResetCancelled.note());
            (cookies.take(), redirect).into_response()
        }
        Some(Past::SignInCancelled) | None => over(cookies),
    }
    .into())
}

/// To `/password/forgot`, without the reset.
fn over(cookies: &mut Cookies) -> Response {
    cookies.forget::<Reset>();
    let redirect = to_forgot(cookies, ForgotMessage::Over, String::new());
    (cookies.take(), redirect).into_response()
}

/// `/password/forgot`, where the message is shown and gets the focus.
fn to_forgot(cookies: &mut Cookies, message: ForgotMessage, typed: String) -> Redirect {
    cookies.keep(&Note::Forgot { message, typed });
    Redirect::to("/password/forgot#error-summary")
}

/// What a handler within a reset does about a fault that it does not know better.
fn fault(cookies: &mut Cookies, place: Place, fault: Fault) -> Stop {
    match fault {
        Fault::Refused(Reason::FlowOver | Reason::FlowUsed) => over(cookies).into(),
        other => other.refusal(place).into(),
    }
}
