//! The state as every 64th entry carries it.

use prost::Message;
use sekisho_eventlog::{Carry, FlowId, Position, Version};
use sekisho_evidence::Cuts;
use sekisho_proto::credentials::v1 as proto;
use sekisho_proto::credentials::v1::AccountState;
use sekisho_proto::credentials::v1::account_state::Stage as Carried;
use sekisho_proto::{from_timestamp, to_timestamp};

use super::account::{Account, History, LastReset, Password, Stage};
use super::client::ClientTag;
use super::devices::{Device, KnownDevice};
use super::identity::Identity;
use super::lockout::Failures;

impl Carry for Account {
    fn carry(&self) -> Vec<u8> {
        let stage = match self.stage {
            Stage::Unregistered => Carried::Unspecified,
            Stage::Enabled { .. } => Carried::Enabled,
            Stage::Disabled { .. } => Carried::Disabled,
            Stage::Erased => Carried::Erased,
        };
        AccountState {
            stage: stage.into(),
            password_version: self.password().set_by.0,
            password_expired: self.password().expired,
            password_initial_since: self.password().initial_since.map(to_timestamp),
            newest_cut: self.history.cuts.all.0,
            newest_flow_cut: self.history.cuts.flows.0,
            newest_pardon: self.history.pardon.0,
            linked_identity: self
                .history
                .linked
                .map(|Identity(digest)| digest.to_vec())
                .unwrap_or_default(),
            last_accepted_at: self.history.last_accepted_at.map(to_timestamp),
            last_refused_at: self.history.last_refused_at.map(to_timestamp),
            last_reset: self.history.last_reset.map(proto::account_state::LastReset::from),
            unknown_devices: Some(self.history.unknown_browsers.into()),
            known_devices: self
                .history
                .devices
                .iter()
                .map(proto::KnownDevice::from)
                .collect(),
            ..AccountState::default()
        }
        .encode_to_vec()
    }
}

/// The state in carried bytes; `None` when they are none.
pub(super) fn read(bytes: &[u8]) -> Option<Account> {
    let carried = AccountState::decode(bytes).ok()?;
    let password = Password {
        set_by: Version(carried.password_version),
        initial_since: carried.password_initial_since.as_ref().and_then(from_timestamp),
        expired: carried.password_expired,
    };
    let stage = match Carried::try_from(carried.stage).ok()? {
        Carried::Unspecified => Stage::Unregistered,
        Carried::Enabled => Stage::Enabled { password },
        Carried::Disabled => Stage::Disabled { password },
        Carried::Erased => Stage::Erased,
    };
    let history = History {
        cuts: Cuts {
            all: Position(carried.newest_cut),
            flows: Position(carried.newest_flow_cut),
        },
        pardon: Position(carried.newest_pardon),
        unknown_browsers: carried.unknown_devices.map(Failures::from).unwrap_or_default(),
        devices: carried
            .known_devices
            .iter()
            .map(known_device)
            .collect::<Option<_>>()?,
        last_reset: match &carried.last_reset {
            None => None,
            Some(last) => Some(last_reset(last)?),
        },
        linked: Identity::read(&carried.linked_identity),
        last_accepted_at: carried.last_accepted_at.as_ref().and_then(from_timestamp),
        last_refused_at: carried.last_refused_at.as_ref().and_then(from_timestamp),
    };
    Some(Account { stage, history })
}

impl From<LastReset> for proto::account_state::LastReset {
    fn from(last: LastReset) -> Self {
        Self {
            secret_digest: last.secret_digest.to_vec(),
            flow_id: last.flow.to_vec(),
            at: Some(to_timestamp(last.at)),
            address_tag: last.client.map(|tag| tag.0.to_vec()).unwrap_or_default(),
        }
    }
}

fn last_reset(last: &proto::account_state::LastReset) -> Option<LastReset> {
    Some(LastReset {
        secret_digest: last.secret_digest.as_slice().try_into().ok()?,
        flow: FlowId::try_from(last.flow_id.as_slice()).ok()?,
        client: ClientTag::read(&last.address_tag),
        at: from_timestamp(last.at.as_ref()?)?,
    })
}

fn known_device(known: &proto::KnownDevice) -> Option<KnownDevice> {
    Some(KnownDevice {
        device: Device::read(&known.device)?,
        since: Position(known.since),
        failures: known.failures.map(Failures::from).unwrap_or_default(),
    })
}

impl From<&KnownDevice> for proto::KnownDevice {
    fn from(known: &KnownDevice) -> Self {
        Self {
            device: known.device.0.to_vec(),
            since: known.since.0,
            failures: Some(known.failures.into()),
        }
    }
}

impl From<Failures> for proto::Failures {
    fn from(failures: Failures) -> Self {
        Self {
            counted: failures.counted,
            repeated: failures.repeated,
            locked_until: failures.locked_until.map(to_timestamp),
            closed: failures.closed,
        }
    }
}

impl From<proto::Failures> for Failures {
    fn from(failures: proto::Failures) -> Self {
        Self {
            counted: failures.counted,
            repeated: failures.repeated,
            locked_until: failures.locked_until.as_ref().and_then(from_timestamp),
            closed: failures.closed,
        }
    }
}
