//! What administrators see of accounts.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use sekisho_eventlog::StreamId;
use sekisho_evidence::{Cuts, SessionCuts, wrong_codes};
use time::OffsetDateTime;

use super::{App, Error};
use crate::domain::{Account, Lock, Password, Stage, TypedLogin};
use crate::store::{Page, Row};

/// Accounts of one page, at most.
pub const MOST: u32 = 500;
/// Streams that are read at a time for one page.
const AT_ONCE: usize = 4;
/// An account as administrators see it. Never printed.
#[derive(Clone)]
pub struct Overview {
    /// Its id.
    pub account: StreamId,
    /// What is known of the person.
    pub row: Row,
    /// Whether nobody may sign in.
    pub disabled: bool,
    /// Where the password comes from, and whether it is used up.
    pub password: Password,
    /// When a password was accepted last.
    pub last_accepted_at: Option<OffsetDateTime>,
    /// When a session was started last.
    pub last_started_at: Option<OffsetDateTime>,
    /// What is locked now.
    pub locks: Vec<Lock>,
    /// Wrong passwords in a row, in browsers in which the password was never right.
    pub failures: u32,
    /// Browsers in which the password was right.
    pub known_devices: usize,
}

impl App {
    /// Everything that is known of one account.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`].
    pub async fn show(&self, login_id: &str) -> Result<Overview, Error> {
        let TypedLogin::Possible(login) = TypedLogin::read(login_id) else {
            return Err(Error::AccountUnknown);
        };
        let row = self.store.row(&login).await?.ok_or(Error::AccountUnknown)?;
        self.overview(row).await
    }

    /// Accounts in the order of their login ids: those of one facility or all, after a login id, at most [`MOST`].
    ///
    /// # Errors
    /// When tables or log do not answer.
    pub async fn list(&self, page: Page) -> Result<Vec<Overview>, Error> {
        let page = Page {
            limit: page.limit.clamp(1, MOST),
            ..page
        };
        let rows = self.store.rows(&page).await?;
        let overviews = stream::iter(rows).map(|row| self.overview(row));
        overviews.buffered(AT_ONCE).try_collect().await
    }

    pub(super) async fn overview(&self, row: Row) -> Result<Overview, Error> {
        let account = StreamId(row.account_id);
        let ((state, sessions), wrong_codes) = tokio::try_join!(
            self.log.load_both::<Account, SessionCuts>(account),
            wrong_codes(&self.log, account)
        )?;
        let (state, sessions) = (state.state, sessions.state);
        let cuts = sessions.cuts.and(Cuts::by_epoch(self.log.epoch()));
        let (password, now) = (state.password(), self.log.now());
        let Account { stage, history } = state;
        Ok(Overview {
            account,
            row,
            disabled: matches!(stage, Stage::Disabled { .. }),
            password,
            last_accepted_at: history.last_accepted_at,
            last_started_at: sessions.last_started_at,
            locks: history.locks(&wrong_codes, cuts, now),
            failures: history.unknown_browsers.counted,
            known_devices: history
                .devices
                .iter()
                .filter(|known| {
                    let cuts = history.cuts.and(cuts);
                    history.devices.known(known.device, cuts).is_some()
                })
                .count(),
        })
    }
}
