//! キャンセル.

use sekisho_eventlog::{Decided, Decision, Facts};
use sekisho_evidence::{Flow, Refusal};

use super::{App, Caller, Error, context};
use crate::domain::{Codes, Command};

impl App {
    /// Ends a flow and its codes. A flow that a cut has ended may still be given up.
    ///
    /// The flow is read before the append, and a session may start in between. Whichever stands first in the log counts,
    /// so the flow is read once more.
    ///
    /// # Errors
    /// [`Error`]; giving up twice is no error.
    pub async fn cancel(&self, caller: Caller<'_>) -> Result<(), Error> {
        let minted = self.open(caller).await?.minted;
        let context = context(minted.account, Some(minted.flow), None);
        let decided = self
            .log
            .decide(&context, |facts: &Facts<Codes>| {
                match Flow::fold(&facts.flow)? {
                    Flow::Unminted => Err(Refusal::Unknown)?,
                    Flow::Mixed => Err(Refusal::Mixed)?,
                    Flow::Used(..) => Err(Refusal::Used)?,
                    Flow::Cancelled(_) => return Ok(Decision::Nothing),
                    Flow::Open(_) | Flow::Verified(..) => {}
                }
                let command = Command::Cancel { flow: minted.flow };
                facts.state.decide(facts.now, command).map_err(Error::from)
            })
            .await?;
        match decided {
            Decided::Recorded { .. } => match Flow::fold(&self.log.flow(minted.flow).await?)? {
                Flow::Used(..) => Err(Refusal::Used.into()),
                _ => Ok(()),
            },
            Decided::Repeated { .. } | Decided::Nothing(_) => Ok(()),
        }
    }
}
