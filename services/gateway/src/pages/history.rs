//! `/history`: サインイン履歴, what happened lately to the account of whoever is signed in.

use std::cmp::Reverse;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use sekisho_proto::sessions::v1::get_history_response::What;

use super::signed_in::SignedIn;
use super::{Answer, Frame, html, is_current, read_once, session, session_over};
use crate::backends::{self, Fault, History, Reason};
use crate::cookies::{Cookies, Last, Page};
use crate::edge::Site;
use crate::form::Form;
use crate::notes::Note;
use crate::refusal::Place;
use crate::texts::Texts;
use crate::{Gateway, marks, times};

/// What the mark of この端末以外をサインアウト names.
const OTHERS: &str = "/history/others";
/// From here on sessions may have counted too few.
const COUNTED: u32 = 100;

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    frame: Frame,
    who: SignedIn,
    said: Option<&'static str>,
    sessions: Vec<OpenSession>,
    others: String,
    happenings: Vec<Happening>,
}

struct OpenSession {
    since: String,
    own: bool,
}

struct Happening {
    /// For programs (HTML, `datetime`).
    machine: String,
    at: String,
    what: &'static str,
    /// How often in a row, if more than once.
    often: Option<String>,
}

/// GET: for a live session only.
pub async fn show(State(gateway): State<Arc<Gateway>>, site: Site, mut cookies: Cookies) -> Answer {
    let Some((session, left)) = session(&gateway, &mut cookies).await? else {
        return Ok((cookies, Redirect::to("/signin")).into_response());
    };
    let history = match gateway.backends.history(&session).await {
        Ok(history) => history,
        Err(Fault::Refused(Reason::SessionOver(over))) => return Ok(session_over(&mut cookies, over)),
        Err(fault) => return Err(fault.refusal(Place::SignedIn).into()),
    };
    let said = match read_once(&mut cookies) {
        Some(Note::Others { ended: true }) => Some(site.texts().others_ended),
        Some(Note::Others { ended: false }) => Some(site.texts().no_others),
        _ => None,
    };
    let who = SignedIn::new(&gateway, &cookies, &session, left);
    if let Some(person) = &who.person {
        cookies.keep(&Last {
            page: Page::History,
            owner: person.digest(),
        });
    }
    let others = marks::make(&gateway.seals, OTHERS, &session.token);
    let page = html(&HistoryPage::new(&site, who, said, others, history))?;
    Ok((cookies, page).into_response())
}

/// POST of この端末以外をサインアウト. What another page's button asked for is done again from the page that is shown now.
pub async fn end_others(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark] = form.take(["csrf"])?;
    let Some((session, _)) = session(&gateway, &mut cookies).await? else {
        return Ok((cookies, Redirect::to("/signin")).into_response());
    };
    if !is_current(&gateway, OTHERS, &session.token, &mark)? {
        return Ok(Redirect::to("/history").into_response());
    }
    match gateway.backends.end_others(&session).await {
        Ok(ended) => {
            cookies.keep(&Note::Others { ended: ended > 0 });
            Ok((cookies, Redirect::to("/history#said")).into_response())
        }
        Err(Fault::Refused(Reason::SessionOver(over))) => Ok(session_over(&mut cookies, over)),
        Err(fault) => Err(fault.refusal(Place::Others).into()),
    }
}

impl HistoryPage {
    fn new(site: &Site, who: SignedIn, said: Option<&'static str>, others: String, history: History) -> Self {
        let texts = site.texts();
        let at = |moment: time::OffsetDateTime| times::day_and_minute(texts, moment.unix_timestamp());
        let mut open = history.sessions;
        // The own one first, then those that began last.
        open.sort_by_key(|session| (!session.own, Reverse(session.started_at)));
        let sessions = open.into_iter().filter_map(|session| {
            Some(OpenSession {
                since: (texts.since)(&at(session.started_at)?),
                own: session.own,
            })
        });
        let happenings = history.happenings.into_iter().filter_map(|happening| {
            Some(Happening {
                machine: times::machine(happening.at)?,
                at: at(happening.at)?,
                what: told(texts, happening.what)?,
                often: often(texts, &happening),
            })
        });
        Self {
            frame: Frame::new(texts.history, site),
            who,
            said,
            sessions: sessions.collect(),
            others,
            happenings: happenings.collect(),
        }
    }
}

/// How often something happened in a row, unless it is once.
fn often(texts: &Texts, happening: &backends::Happening) -> Option<String> {
    match happening.count {
        0 | 1 => None,
        COUNTED.. => Some((texts.often)(COUNTED)),
        count => {
            let first_at = times::day_and_minute(texts, happening.first_at.unix_timestamp())?;
            Some((texts.repeated)(count, &first_at))
        }
    }
}

/// `None` for what this version does not know.
fn told(texts: &Texts, what: What) -> Option<&'static str> {
    let told = &texts.happenings;
    Some(match what {
        What::Unspecified => return None,
        What::SignedIn => told.signed_in,
        What::SignedOut => told.signed_out,
        What::EndedIdle => told.ended_idle,
        What::EndedAbsolute => told.ended_absolute,
        What::EndedElsewhere => told.ended_elsewhere,
        What::PasswordAccepted => told.password_accepted,
        What::PasswordWrong => told.password_wrong,
        What::RefusedLocked => told.refused_locked,
        What::RefusedDisabled => told.refused_disabled,
        What::CodeMailed => told.code_mailed,
        What::CodeNotMailed => told.code_not_mailed,
        What::CodeWrong => told.code_wrong,
        What::CodeAccepted => told.code_accepted,
        What::ResetRequested => told.reset_requested,
        What::PasswordChanged => told.password_changed,
        What::PasswordExpired => told.password_expired,
        What::AddressChanged => told.address_changed,
        What::ProfileChanged => told.profile_changed,
        What::AccountRegistered => told.account_registered,
        What::AccountDisabled => told.account_disabled,
        What::AccountEnabled => told.account_enabled,
        What::AccountUnlocked => told.account_unlocked,
        What::NcrLinked => told.ncr_linked,
        What::NcrUnlinked => told.ncr_unlinked,
        What::NcrAccepted => told.ncr_accepted,
        What::NcrRefused => told.ncr_refused,
    })
}
