//! The use cases: gather the facts, make a command, have it decided, say what came of it.

mod accounts;
mod administer;
mod clients;
mod describe;
mod error;
mod explain;
mod federated;
mod former;
mod import;
mod link;
mod reset;
mod resolve;
mod set_password;
mod subject;
mod tidy;
mod verify;

use std::sync::Arc;

use sekisho_eventlog::{Context, FlowId, Log, StreamId};
use sekisho_service::roles;
use sekisho_service::settings::KeyRing;
use time::OffsetDateTime;

use crate::domain::Rules;
use crate::hashing::{Costs, HashPool, Pepper};
use crate::provider::Provider;
use crate::sealing::{DayKeys, Phantoms};
use crate::store::Store;

use clients::Clients;
use former::Former;

pub use accounts::Overview;
pub use administer::Registration;
pub use describe::{Described, Known, NewPasswordLength};
pub use error::Error;
pub use explain::{Episode, Explanation, Question};
pub use federated::{Beginning, Callback, Finished};
pub use import::{Expected, Import, ImportRow, Imported};
pub use reset::ResetRequest;
pub use resolve::Issued;
pub use set_password::PasswordChange;
pub use verify::{Attempt, Denied, Outcome};

/// Who acts when nobody in particular does: the service itself.
const ACTOR: &str = roles::CREDENTIALS;

/// Everything that a use case needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    log: Log,
    store: Store,
    pool: HashPool,
    keys: Keys,
    rules: Arc<Rules>,
    day_keys: DayKeys,
    clients: Clients,
    former: Former,
    provider: Option<Arc<Provider>>,
    costs: Costs,
}

/// What a use case seals with.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Wrap personal keys.
    pub masters: KeyRing,
    /// Derives phantoms.
    pub phantoms: Phantoms,
    /// Seals password hashes.
    pub pepper: Pepper,
}

impl App {
    /// Works on a log and the tables beside it.
    pub fn new(log: Log, pool: HashPool, keys: Keys, rules: Rules) -> Self {
        let store = Store::new(log.pool().clone());
        Self {
            day_keys: DayKeys::new(store.clone(), keys.masters.clone()),
            clients: Clients::default(),
            former: Former::default(),
            provider: None,
            costs: Costs::default(),
            store,
            log,
            pool,
            keys,
            rules: Arc::new(rules),
        }
    }

    /// The log's time.
    pub fn now(&self) -> OffsetDateTime {
        self.log.now()
    }

    /// The pool that hashes.
    pub fn pool(&self) -> &HashPool {
        &self.pool
    }

    /// The tables.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What is derived from the phantom key.
    pub fn phantoms(&self) -> &Phantoms {
        &self.keys.phantoms
    }
}

/// Around a command of the service itself.
fn context(stream: StreamId, flow: Option<FlowId>) -> Context {
    Context::new(stream, flow, ACTOR)
}
