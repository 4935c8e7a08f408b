//! What combined functions take after the draft of the event.

use std::sync::Arc;

use sekisho_eventlog::{Argument, Via};

use crate::domain::{Address, LoginId, Profile, SubjectIdentifier};
use crate::hashing::SealedHash;
use crate::sealing::Wrapped;

/// What `credentials.register_account` takes after the draft.
pub(crate) fn registration(
    login: &LoginId,
    profile: &Profile,
    password: SealedHash,
    key: Wrapped,
) -> Vec<Argument> {
    let address = profile.address.as_ref().map_or("", Address::as_str);
    let person = [
        Argument::Text(login.as_str().to_owned()),
        Argument::Text(profile.facility_code.clone()),
        Argument::Text(profile.facility.clone()),
        Argument::Text(profile.name.clone()),
        Argument::Text(address.to_owned()),
    ];
    let key = [Argument::Text(key.master_id), Argument::Bytes(key.bytes)];
    person.into_iter().chain(hash(password)).chain(key).collect()
}

/// Has codes mailed elsewhere.
pub(crate) fn new_address(address: Option<&Address>) -> Via {
    let text = address.map_or("", Address::as_str).to_owned();
    Via::Function {
        name: "credentials.change_address",
        arguments: Arc::new([Argument::Text(text)]),
        grouped: false,
    }
}

/// Links an account with a person at a provider, or with nobody any more.
pub(crate) fn new_identity(issuer: &str, subject: Option<&SubjectIdentifier>) -> Via {
    let subject = subject.map_or("", SubjectIdentifier::as_str);
    Via::Function {
        name: "credentials.link_identity",
        arguments: Arc::new([issuer, subject].map(|text| Argument::Text(text.to_owned()))),
        grouped: false,
    }
}

/// Changes facility and name, and leaves the address. Refused if the person is at another facility than `before` by then.
pub(crate) fn new_profile(before: &Profile, profile: &Profile) -> Via {
    let parts = [
        &before.facility_code,
        &profile.facility_code,
        &profile.facility,
        &profile.name,
    ];
    Via::Function {
        name: "credentials.change_profile",
        arguments: Arc::new(parts.map(|part| Argument::Text(part.clone()))),
        grouped: false,
    }
}

/// What functions take of a hash.
pub(crate) fn hash(hash: SealedHash) -> [Argument; 3] {
    [
        Argument::Text(hash.form),
        Argument::Text(hash.pepper_id),
        Argument::Bytes(hash.sealed),
    ]
}
