//! What every page of whoever is signed in has: facility and name, サインアウト, and the warning before the session ends.

use super::extend::Idle;
use super::signout;
use crate::backends::Left;
use crate::cookies::{Cookies, Person, Session};
use crate::{Gateway, marks};

/// Who is signed in.
pub(super) struct SignedIn {
    /// What the cookie of this very session says; `None` without it.
    pub person: Option<Person>,
    /// The warning.
    pub idle: Idle,
    /// Of サインアウト.
    pub mark: String,
}

impl SignedIn {
    pub fn new(gateway: &Gateway, cookies: &Cookies, session: &Session, left: Option<Left>) -> Self {
        let person = cookies.read::<Person>();
        Self {
            person: person.filter(|person| person.session == session.token.digest()),
            idle: Idle::new(gateway, session, left),
            mark: marks::make(&gateway.seals, signout::FORM, &session.token),
        }
    }
}
