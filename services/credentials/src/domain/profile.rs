//! What is known about the person who has an account, beside the password.

use std::fmt;

use super::Address;

/// The longest facility code, in bytes.
const LONGEST_CODE: usize = 32;
/// The longest name of a facility or a person, in code points.
const LONGEST_NAME: usize = 200;

/// Facility, name and address of an account. Only the facility's public code may reach an event.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// Public, ASCII letters, digits and hyphens: it stands in the log for ever, so nothing personal fits in.
    pub facility_code: String,
    /// As it is shown; never normalised, which would change rare characters.
    pub facility: String,
    /// As it is shown.
    pub name: String,
    /// Where codes go.
    pub address: Option<Address>,
}

/// Which part of a profile cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Not 1–32 ASCII letters, digits and hyphens.
    #[error("the facility code is not made of letters, digits and hyphens")]
    FacilityCode,
    /// Empty, longer than 200 code points or with control characters.
    #[error("the facility's name cannot be shown")]
    Facility,
    /// Empty, longer than 200 code points or with control characters.
    #[error("the person's name cannot be shown")]
    Name,
    /// Neither empty nor an address.
    #[error("the address is none")]
    Address,
}

impl Profile {
    /// Reads a profile as an administrator typed it. `address` may be empty.
    ///
    /// # Errors
    /// The first [`ProfileError`].
    pub fn read(
        facility_code: String,
        facility: String,
        name: String,
        address: &str,
    ) -> Result<Self, ProfileError> {
        if !is_code(&facility_code) {
            return Err(ProfileError::FacilityCode);
        }
        if !is_name(&facility) {
            return Err(ProfileError::Facility);
        }
        if !is_name(&name) {
            return Err(ProfileError::Name);
        }
        let address = match address {
            "" => None,
            text => Some(Address::try_from(text).map_err(|_| ProfileError::Address)?),
        };
        Ok(Self {
            facility_code,
            facility,
            name,
            address,
        })
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("facility_code", &self.facility_code)
            .finish_non_exhaustive()
    }
}

pub(super) fn is_code(text: &str) -> bool {
    (1..=LONGEST_CODE).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

pub(super) fn is_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=LONGEST_NAME).contains(&length) && !text.trim().is_empty() && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(code: &str, facility: &str, name: &str, address: &str) -> Result<Profile, ProfileError> {
        Profile::read(code.to_owned(), facility.to_owned(), name.to_owned(), address)
    }

    #[test]
    fn rare_characters_and_long_names_stay_as_they_are() {
        let facility = "𠮷野家\u{fa19}病院".repeat(28);
        let profile = read("0450000", &facility, "渡\u{908a}\u{e0101}太郎", "").unwrap();
        assert_eq!(profile.facility, facility);
        assert_eq!(profile.name, "渡\u{908a}\u{e0101}太郎");
        assert_eq!(profile.address, None);
    }

    #[test]
    fn what_cannot_be_shown_is_refused_by_name() {
        assert_eq!(read("", "a", "b", ""), Err(ProfileError::FacilityCode));
        assert_eq!(read("太郎", "a", "b", ""), Err(ProfileError::FacilityCode));
        assert_eq!(read("1", " ", "b", ""), Err(ProfileError::Facility));
        assert_eq!(read("1", "a", &"b".repeat(201), ""), Err(ProfileError::Name));
        assert_eq!(read("1", "a", "b", "nowhere"), Err(ProfileError::Address));
    }

    #[test]
    fn a_profile_prints_nothing_personal() {
        let profile = read("1", "canary", "canary", "canary@example.com").unwrap();
        assert!(!format!("{profile:?}").contains("canary"));
    }
}
