//! What an import says an account should be.

use std::fmt;

use super::profile::{is_code, is_name};
use super::{Address, LoginId, Profile, ProfileError, SubjectIdentifier, TypedLogin};

/// What an account should be. What is `None` stays as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Declaration {
    login: LoginId,
    facility: Option<Facility>,
    name: Option<String>,
    address: Option<Address>,
    subject: Option<SubjectIdentifier>,
    /// Whether nobody may sign in.
    disabled: Option<bool>,
}

/// The parts of a declaration as somebody typed them; empty ones stay as they are.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Declared {
    /// Normalised when it is read.
    pub login_id: String,
    /// The facility's public code; goes with its name.
    pub facility_code: String,
    /// The facility's name; goes with its code.
    pub facility: String,
    /// The person's name.
    pub name: String,
    /// Where codes go.
    pub address: String,
    /// The person's subject identifier at the provider.
    pub subject: String,
    /// Whether nobody may sign in.
    pub disabled: Option<bool>,
}

/// What the account is already.
#[derive(Clone, PartialEq, Eq)]
pub struct Existing {
    /// Facility, name and address.
    pub profile: Profile,
    /// Whom it is linked with at the provider.
    pub subject: Option<SubjectIdentifier>,
    /// Whether nobody may sign in.
    pub disabled: bool,
}

/// A difference between what an account is and what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There is no account yet.
    Registered,
    /// Another facility.
    Transferred,
    /// Another name of the same facility, or of the person.
    Renamed,
    /// Another address.
    AddressChanged,
    /// Nobody may sign in any more.
    Disabled,
    /// Its owner may sign in again.
    Enabled,
    /// Another account at the provider opens it.
    Linked,
}

/// Why a declaration cannot be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationError {
    /// No account can have this login id.
    #[error("the login id cannot be used")]
    LoginId,
    /// A part that cannot be used.
    #[error("the profile cannot be used")]
    Profile(#[source] ProfileError),
    /// The provider names nobody like that.
    #[error("the subject identifier cannot be used")]
    Subject,
    /// A part that a new account needs, or that another part needs.
    #[error("a part of the profile is missing")]
    Missing(Missing),
}

/// What a new account needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The facility's code; also beside a facility's name.
    FacilityCode,
    /// The facility's name; also beside a facility's code.
    Facility,
    /// The person's name.
    Name,
}

#[derive(Clone, PartialEq, Eq)]
struct Facility {
    code: String,
    name: String,
}

impl Declaration {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// The first [`DeclarationError`].
    pub fn read(declared: Declared) -> Result<Self, DeclarationError> {
        let TypedLogin::Possible(login) = TypedLogin::read(&declared.login_id) else {
            return Err(DeclarationError::LoginId);
        };
        let name = filled(declared.name);
        if name.as_deref().is_some_and(|name| !is_name(name)) {
            return Err(DeclarationError::Profile(ProfileError::Name));
        }
        let address = filled(declared.address)
            .map(|text| Address::try_from(text.as_str()))
            .transpose()
            .map_err(|_| DeclarationError::Profile(ProfileError::Address))?;
        let subject = filled(declared.subject)
            .map(|text| SubjectIdentifier::try_from(text.as_str()))
            .transpose()
            .map_err(|_| DeclarationError::Subject)?;
        Ok(Self {
            login,
            facility: facility(declared.facility_code, declared.facility)?,
            name,
            address,
            subject,
            disabled: declared.disabled,
        })
    }

    /// Whose account it is.
    pub fn login(&self) -> &LoginId {
        &self.login
    }

    /// Whom it says that the account is linked with.
    pub fn subject(&self) -> Option<&SubjectIdentifier> {
        self.subject.as_ref()
    }

    /// Whether it says that somebody may sign in, or that nobody may.
    pub fn is_about_state(&self) -> bool {
        self.disabled.is_some()
    }

    /// The profile of the account once it is what it should be.
    ///
    /// # Errors
    /// [`DeclarationError::Missing`] when a new account lacks a part.
    pub fn profile(&self, existing: Option<&Existing>) -> Result<Profile, DeclarationError> {
        let Some(existing) = existing else {
            let missing = DeclarationError::Missing;
            let facility = self.facility.clone().ok_or(missing(Missing::FacilityCode))?;
            return Ok(Profile {
                facility_code: facility.code,
                facility: facility.name,
                name: self.name.clone().ok_or(missing(Missing::Name))?,
                address: self.address.clone(),
            });
        };
        let mut profile = existing.profile.clone();
        if let Some(facility) = self.facility.clone() {
            (profile.facility_code, profile.facility) = (facility.code, facility.name);
        }
        Ok(Profile {
            name: self.name.clone().unwrap_or(profile.name),
            address: self.address.clone().or(profile.address),
            ..profile
        })
    }

    /// What makes the account what it should be, given the profile that it will have.
    pub fn changes(&self, existing: Option<&Existing>, profile: &Profile) -> Vec<Change> {
        let before = existing.map(|existing| &existing.profile);
        let moves = before.is_some_and(|before| before.facility_code != profile.facility_code);
        let names = |profile: &Profile| (profile.facility.clone(), profile.name.clone());
        let renames = before.is_some_and(|before| names(before) != names(profile));
        let readdresses = before.is_some_and(|before| before.address != profile.address);
        let was_disabled = existing.is_some_and(|existing| existing.disabled);
        let disabled = self.disabled.unwrap_or(was_disabled);
        let linked = existing.and_then(|existing| existing.subject.as_ref());
        let links = self.subject.is_some() && self.subject.as_ref() != linked;
        [
            (existing.is_none(), Change::Registered),
            (moves, Change::Transferred),
            (renames && !moves, Change::Renamed),
            (readdresses, Change::AddressChanged),
            (disabled && !was_disabled, Change::Disabled),
            (links, Change::Linked),
            (was_disabled && !disabled, Change::Enabled),
        ]
        .into_iter()
        .filter_map(|(is_so, change)| is_so.then_some(change))
        .collect()
    }
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn facility(code: String, name: String) -> Result<Option<Facility>, DeclarationError> {
    let (code, name) = match (filled(code), filled(name)) {
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(DeclarationError::Missing(Missing::Facility)),
        (None, Some(_)) => return Err(DeclarationError::Missing(Missing::FacilityCode)),
        (Some(code), Some(name)) => (code, name),
    };
    if !is_code(&code) {
        return Err(DeclarationError::Profile(ProfileError::FacilityCode));
    }
    if !is_name(&name) {
        return Err(DeclarationError::Profile(ProfileError::Facility));
    }
    Ok(Some(Facility { code, name }))
}

impl fmt::Debug for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declaration").finish_non_exhaustive()
    }
}

impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declared").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> Declared {
        Declared {
            login_id: "０４５００００１".to_owned(),
            facility_code: "045000".to_owned(),
            facility: "架空がんセンター".to_owned(),
            name: "登録 花子".to_owned(),
            address: "hanako@example.com".to_owned(),
            subject: String::new(),
            disabled: None,
        }
    }

    fn existing() -> Existing {
        Existing {
            profile: Declaration::read(declared()).unwrap().profile(None).unwrap(),
            subject: None,
            disabled: false,
        }
    }

    fn only(change: impl FnOnce(&mut Declared)) -> Declared {
        let mut only = Declared {
            login_id: "04500001".to_owned(),
            ..Declared::default()
        };
        change(&mut only);
        only
    }

    fn changes(declared: Declared, existing: Option<&Existing>) -> Result<Vec<Change>, DeclarationError> {
        let declaration = Declaration::read(declared)?;
        let profile = declaration.profile(existing)?;
        Ok(declaration.changes(existing, &profile))
    }

    #[test]
    fn a_new_account_needs_a_facility_and_a_name() {
        assert_eq!(changes(declared(), None), Ok(vec![Change::Registered]));
        let disabled = Declared {
            disabled: Some(true),
            ..declared()
        };
        assert_eq!(
            changes(disabled, None),
            Ok(vec![Change::Registered, Change::Disabled])
        );
        let missing = |missing| Err(DeclarationError::Missing(missing));
        assert_eq!(changes(only(|_| ()), None), missing(Missing::FacilityCode));
        let nameless = Declared {
            name: String::new(),
            ..declared()
        };
        assert_eq!(changes(nameless, None), missing(Missing::Name));
        let unreachable = Declared {
            address: String::new(),
            ..declared()
        };
        assert_eq!(changes(unreachable, None), Ok(vec![Change::Registered]));
    }

    #[test]
    fn whatever_is_so_already_and_whatever_is_empty_changes_nothing() {
        assert_eq!(changes(declared(), Some(&existing())), Ok(Vec::new()));
        assert_eq!(changes(only(|_| ()), Some(&existing())), Ok(Vec::new()));
        let enabled = only(|row| row.disabled = Some(false));
        assert_eq!(changes(enabled, Some(&existing())), Ok(Vec::new()));
    }

    #[test]
    fn each_difference_is_one_change() {
        let changed = |declared| changes(declared, Some(&existing())).unwrap();
        let moved = only(|row| (row.facility_code, row.facility) = ("046000".into(), "見本病院".into()));
        assert_eq!(changed(moved), [Change::Transferred]);
        let of_facility = only(|row| (row.facility_code, row.facility) = ("045000".into(), "新名".into()));
        assert_eq!(changed(of_facility), [Change::Renamed]);
        assert_eq!(
            changed(only(|row| row.name = "登録 華子".into())),
            [Change::Renamed]
        );
        let elsewhere = only(|row| row.address = "elsewhere@example.com".into());
        assert_eq!(changed(elsewhere), [Change::AddressChanged]);
        assert_eq!(changed(only(|row| row.disabled = Some(true))), [Change::Disabled]);
        let disabled = Existing {
            disabled: true,
            ..existing()
        };
        let enabled = only(|row| row.disabled = Some(false));
        assert_eq!(changes(enabled, Some(&disabled)), Ok(vec![Change::Enabled]));
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        let refused = |change: fn(&mut Declared)| {
            let mut broken = declared();
            change(&mut broken);
            Declaration::read(broken).unwrap_err()
        };
        assert_eq!(
            refused(|row| row.login_id = " ".into()),
            DeclarationError::LoginId
        );
        let profile = DeclarationError::Profile;
        assert_eq!(
            refused(|row| row.facility_code = "太郎".into()),
            profile(ProfileError::FacilityCode)
        );
        assert_eq!(
            refused(|row| row.facility = "\u{7}".into()),
            profile(ProfileError::Facility)
        );
        assert_eq!(
            refused(|row| row.name = "a".repeat(201)),
            profile(ProfileError::Name)
        );
        assert_eq!(
            refused(|row| row.address = "nowhere".into()),
            profile(ProfileError::Address)
        );
        let missing = DeclarationError::Missing;
        assert_eq!(refused(|row| row.facility.clear()), missing(Missing::Facility));
        assert_eq!(
            refused(|row| row.facility_code.clear()),
            missing(Missing::FacilityCode)
        );
    }

    #[test]
    fn a_declaration_prints_nothing_personal() {
        let printed = format!("{:?} {:?}", declared(), Declaration::read(declared()).unwrap());
        for personal in ["花子", "hanako", "04500001"] {
            assert!(!printed.contains(personal), "{printed}");
        }
    }
}
