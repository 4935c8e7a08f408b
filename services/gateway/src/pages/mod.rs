//! The pages: one file each with form, handler and tests, beside its template.

pub mod assets;
mod cancel;
mod code;
mod email;
pub mod error;
mod extend;
mod help;
mod history;
mod ncr;
mod onward;
mod open;
mod password;
mod root;
mod signed_in;
mod signed_out;
mod signin;
mod signout;
mod top;

use std::sync::Arc;

use askama::Template;
use askama::filters::Safe;
use axum::Router;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::HeaderMap;

use crate::Gateway;
use crate::backends::{Fault, Left, Over, Reason};
use crate::cookies::{Anonymous, Cookies, Flow, Last, Page, Past, Person, Session};
use crate::edge::Site;
use crate::marks;
use crate::notes::{Note, SignInMessage};
use crate::refusal::{Place, Refusal, Stop};
use crate::texts::{Texts, marked};

/// What surrounds every page.
pub struct Frame {
    /// In the language of whoever reads it.
    texts: &'static Texts,
    /// Screen name, for the title.
    name: &'static str,
    /// Whether the page reports an error.
    error: bool,
    /// Whether this is the second host.
    standby: bool,
    /// The help pointer at the foot.
    help: &'static str,
    /// Where the stylesheet lies.
    style: &'static str,
    /// Where the script lies.
    script: &'static str,
    /// Where the picture beside the system's name lies.
    icon: &'static str,
}

/// The answer of a handler.
type Answer = Result<Response, Stop>;

/// All addresses that browsers may use.
pub fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/", get(root::show))
        .route("/signin", get(signin::show).post(signin::submit))
        .route("/signin/email", get(email::show))
        .route("/signin/email/send", post(email::send))
        .route("/signin/email/verify", post(email::verify))
        .route("/signin/email/continue", post(email::proceed))
        .route("/signin/cancel", post(cancel::submit))
        .route(
            "/password/forgot",
            get(password::forgot::show).post(password::forgot::submit),
        )
        .route("/password/forgot/code", get(password::code::show))
        .route("/password/forgot/code/send", post(password::code::send))
        .route("/password/forgot/code/verify", post(password::code::verify))
        .route(
            "/password/forgot/new",
            get(password::new::show).post(password::new::submit),
        )
        .route("/password/forgot/done", get(password::done::show))
        .route("/password/forgot/cancel", post(password::cancel::submit))
        .route("/ncr/start", get(ncr::start::show).post(ncr::start::submit))
        .route("/ncr/callback", get(ncr::callback::show))
        .route("/top", get(top::show))
        .route("/history", get(history::show))
        .route("/history/others", post(history::end_others))
        .route("/session/extend", post(extend::submit))
        .route("/signout", get(signout::show).post(signout::submit))
        .route("/signed-out", get(signed_out::show))
        .route("/help", get(help::show))
        .route("/assets/{name}", get(assets::show))
        .fallback(async || Refusal::NotFound)
}

impl Frame {
    /// The frame of a page of a sign-in.
    fn sign_in(name: &'static str, site: &Site) -> Self {
        Self {
            help: site.texts().help_sign_in,
            ..Self::new(name, site)
        }
    }

    /// The frame of any other page.
    fn new(name: &'static str, site: &Site) -> Self {
        Self {
            texts: site.texts(),
            name,
            error: false,
            standby: site.standby,
            help: site.texts().help,
            style: assets::style_address(),
            script: assets::script_address(),
            icon: assets::ICON_ADDRESS,
        }
    }
}

impl Frame {
    /// A text that may hold Japanese, whatever the page's language.
    fn marked(&self, text: &str) -> Safe<String> {
        marked(self.texts, text)
    }
}

/// A rendered page. A template that fails is a mistake of the gateway.
fn html(page: &impl Template) -> Answer {
    match page.render() {
        Ok(text) => Ok(Html(text).into_response()),
        Err(_) => Err(Refusal::Broken.into()),
    }
}

/// `/signin`, where the note is shown and gets the focus.
fn to_sign_in(cookies: &mut Cookies, note: &Note) -> Redirect {
    cookies.keep(note);
    match note {
        Note::SignIn { message, .. } => Redirect::to(&format!("/signin#{}", message.focus())),
        Note::Staff { .. } => Redirect::to("/signin#error-summary"),
        Note::Email(_)
        | Note::Forgot { .. }
        | Note::ResetCode(_)
        | Note::NewPassword(_)
        | Note::SignedOut(_)
        | Note::Others { .. } => Redirect::to("/signin"),
    }
}

/// Whether a script of ours asks: for another site's the browser would ask first whether it may.
fn is_by_script(headers: &HeaderMap) -> bool {
    headers.contains_key("x-script")
}

/// What the page before has to say; it is said once.
fn read_once(cookies: &mut Cookies) -> Option<Note> {
    let note = cookies.read()?;
    cookies.forget::<Note>();
    Some(note)
}

/// The secret that the browser's forms before a sign-in are bound to; made when there is none.
fn anonymous(cookies: &mut Cookies) -> Anonymous {
    cookies.read().unwrap_or_else(|| {
        let fresh = Anonymous {
            secret: crate::secret::Secret::fresh(),
        };
        cookies.keep(&fresh);
        fresh
    })
}

/// Where whoever signs in, or stays, goes on: where they were, else to the top page.
fn last_page(cookies: &Cookies, person: Option<&Person>) -> &'static str {
    let own = |last: &Last| person.is_some_and(|person| person.digest() == last.owner);
    let last = cookies.read::<Last>().filter(own);
    last.map_or_else(Page::default, |last| last.page).address()
}

/// Whether a form fits to what the browser's cookie holds now. One that does not comes from a page that was left open while
/// another tab went on: nothing is done, and the present state is shown.
///
/// # Errors
/// [`Refusal::Forged`] for a mark that this gateway did not make.
fn is_current(
    gateway: &Gateway,
    form: &str,
    bound_to: &crate::secret::Secret,
    mark: &str,
) -> Result<bool, Refusal> {
    match marks::check(&gateway.seals, form, bound_to, mark) {
        marks::Verdict::Good => Ok(true),
        marks::Verdict::Stale => Ok(false),
        marks::Verdict::Forged => Err(Refusal::Forged),
    }
}

/// The live session of the request; `None` without a session cookie.
///
/// # Errors
/// To `/signin` when the session is over, with the text that fits; an error page when nobody can tell. A session that
/// cannot be asked for is never treated as over.
async fn session(gateway: &Gateway, cookies: &mut Cookies) -> Result<Option<(Session, Option<Left>)>, Stop> {
    let Some(session) = cookies.read::<Session>() else {
        return Ok(None);
    };
    match gateway.backends.check(&session).await {
        Ok(left) => Ok(Some((session, left))),
        Err(Fault::Refused(Reason::SessionOver(over))) => Err(session_over(cookies, over).into()),
        Err(fault) => Err(fault.refusal(Place::SignedIn).into()),
    }
}

/// To `/signin`, without the cookies of the session that is over.
fn session_over(cookies: &mut Cookies, over: Over) -> Response {
    cookies.forget::<Session>();
    cookies.forget::<Person>();
    let redirect = match over {
        Over::Idle => to_sign_in(cookies, &SignInMessage::Idle.note()),
        Over::Absolute => to_sign_in(cookies, &SignInMessage::Absolute.note()),
        Over::Elsewhere => to_sign_in(cookies, &SignInMessage::EndedElsewhere.note()),
        Over::SignedOut => Redirect::to("/signin"),
    };
    (cookies.take(), redirect).into_response()
}

/// The flow of the request, of a sign-in with a password.
///
/// # Errors
/// To `/signin` without one: it is over, its cookie is lost, or it belongs to the other host. Also with one that is at the provider of
/// NCR accounts, which goes on: it has taken the place of the one that the page is of.
fn flow(cookies: &mut Cookies) -> Result<Flow, Stop> {
    match cookies.read::<Flow>() {
        Some(flow) if flow.federated => Err(say_flow_over(cookies).into()),
        Some(flow) => Ok(flow),
        None if cookies.read() == Some(Past::SignInCancelled) => {
            let redirect = to_sign_in(cookies, &SignInMessage::Cancelled.note());
            Err((cookies.take(), redirect).into_response().into())
        }
        None => Err(flow_over(cookies).into()),
    }
}

/// To `/signin`, without the flow. Who has a session is past the flow: that page sends them on and says nothing.
fn flow_over(cookies: &mut Cookies) -> Response {
    cookies.forget::<Flow>();
    say_flow_over(cookies)
}

/// A sign-in begins: how the one before it ended is no matter any more.
fn begin_flow(cookies: &mut Cookies, flow: &Flow) {
    cookies.keep(flow);
    cookies.forget::<Note>();
    cookies.forget::<Past>();
}

fn say_flow_over(cookies: &mut Cookies) -> Response {
    let redirect = to_sign_in(cookies, &SignInMessage::FlowOver.note());
    (cookies.take(), redirect).into_response()
}

/// What a handler within a flow does about a fault that it does not know better.
fn flow_fault(cookies: &mut Cookies, place: Place, fault: Fault) -> Stop {
    match fault {
        Fault::Refused(Reason::FlowOver | Reason::FlowUsed) => flow_over(cookies).into(),
        other => other.refusal(place).into(),
    }
}
