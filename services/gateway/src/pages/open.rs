//! The last step of every sign-in: the session opens, and the browser keeps what its pages need.

use axum::response::Redirect;
use time::OffsetDateTime;

use super::last_page;
use crate::Gateway;
use crate::backends::{Ended, Fault, Known, Reason, Started};
use crate::cookies::{AskAgain, Cookies, Elsewhere, Flow, Person, Session};

/// Opens the session of a flow: sessions decides on the evidence in the log. The names are asked for once, now; if that fails, the same
/// step works again, because the same flow always opens the same session. `elsewhere` is where the sign-in has to end as
/// well. Answers where the person goes on: where they were when their session ran out, or to the top page.
///
/// # Errors
/// [`Reason::EvidenceMissing`], [`Reason::FlowOver`]; otherwise a service is down.
pub(super) async fn open(
    gateway: &Gateway,
    cookies: &mut Cookies,
    flow: Flow,
    elsewhere: Elsewhere,
) -> Result<Redirect, Fault> {
    let started = gateway.backends.start(&flow).await?;
    let seeing = Flow {
        seen: started.position,
        ..flow
    };
    let described = gateway.backends.describe_flow(&seeing).await?;
    let known = described
        .person
        .ok_or_else(|| Fault::unknown_state("DescribeFlow"))?;
    end_other(gateway, cookies, &started.session).await?;
    let person = person(known, &started, elsewhere);
    cookies.keep(&person);
    cookies.keep(&started.session);
    cookies.keep(&AskAgain {});
    cookies.forget::<Flow>();
    Ok(Redirect::to(last_page(cookies, Some(&person))))
}

/// Ends the session that this browser still holds, of whomever: after this page nobody could end it any more.
async fn end_other(gateway: &Gateway, cookies: &Cookies, new: &Session) -> Result<(), Fault> {
    let Some(old) = cookies.read::<Session>() else {
        return Ok(());
    };
    if old.token.digest() == new.token.digest() {
        return Ok(());
    }
    match gateway.backends.end(&old).await {
        Ok(Ended::Recorded | Ended::Unrecorded) | Err(Fault::Refused(Reason::SessionOver(_))) => Ok(()),
        Err(fault) => Err(fault),
    }
}

fn person(known: Known, started: &Started, elsewhere: Elsewhere) -> Person {
    Person {
        session: started.session.token.digest(),
        facility: known.facility,
        name: known.name,
        last_signed_in: started.previous_started_at.map(OffsetDateTime::unix_timestamp),
        elsewhere,
    }
}
