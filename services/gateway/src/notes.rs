//! What the next page has to say. A note travels in a sealed cookie from a POST to the GET after it, so that neither a
//! text nor a login id ever stands in an address; it names a message and never carries one.

use serde::{Deserialize, Serialize};

/// A note for one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// For `/signin`.
    SignIn {
        /// What happened.
        message: SignInMessage,
        /// The login id as typed, to be filled in again.
        typed: String,
    },
    /// For `/signin/email`.
    Email(CodeMessage),
    /// For `/password/forgot`.
    Forgot {
        /// What happened.
        message: ForgotMessage,
        /// The login id as typed, to be filled in again.
        typed: String,
    },
    /// For `/password/forgot/code`.
    ResetCode(CodeMessage),
    /// For `/password/forgot/new`.
    NewPassword(NewPasswordMessage),
    /// For `/signin`: what came of a sign-in with an NCR account.
    Staff {
        /// What happened.
        message: StaffMessage,
        /// By which it is found in the log.
        enquiry: String,
    },
    /// For `/signed-out`.
    SignedOut(Leftovers),
    /// For `/history`: what came of この端末以外をサインアウト.
    Others {
        /// Whether there was another session.
        ended: bool,
    },
}

/// What a sign-out could not end yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftovers {
    /// The end of the session could not be recorded yet.
    pub unrecorded: bool,
    /// The provider has no place where a sign-in with an NCR account ends.
    pub at_provider: bool,
}

/// What came of a sign-in with an NCR account (screens 2.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StaffMessage {
    /// The person gave up at the provider.
    Cancelled,
    /// Too late, or not the answer that was asked for.
    Over,
    /// The provider wants to be asked again.
    Retry,
    /// The provider fails, or says what is not to be believed.
    Failed,
    /// The provider cannot be reached.
    Unreachable,
    /// No account is linked with the person's.
    NoAccount,
    /// The account is disabled.
    Disabled,
    /// The person signed in there without a second factor.
    FactorMissing,
}

/// Whether an unknown id and a wrong password are told apart (screens 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// Two texts, as the manual has them.
    Seed,
    /// One text.
    Generic,
}

/// What the sign-in page may have to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignInMessage {
    /// A field was left empty.
    Missing {
        /// The login id.
        user_id: bool,
        /// The password.
        password: bool,
    },
    /// Case 1 of the manual.
    UnknownAccount,
    /// Case 2 of the manual.
    WrongPassword,
    /// Either of both, where they are not to be told apart.
    NotAccepted,
    /// Locked for a while.
    Locked,
    /// Disabled by an administrator.
    Disabled,
    /// No address for codes.
    NoEmail,
    /// The form was too old.
    StaleForm,
    /// The flow is over.
    FlowOver,
    /// The session ended by inactivity.
    Idle,
    /// The session was as old as one may get.
    Absolute,
    /// The session was ended by a new password, by support, or from another device.
    EndedElsewhere,
    /// キャンセル was pressed.
    Cancelled,
    /// キャンセル was pressed while a password was being reset.
    ResetCancelled,
}

/// What a page with a code may have to say beyond what the log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodeMessage {
    /// No code was typed.
    Missing,
    /// What was typed is no code; not counted.
    Malformed,
    /// A wrong code.
    Wrong {
        /// It equals an older code of this flow.
        replaced: bool,
    },
    /// 続行 was pressed before a code was accepted.
    NotVerified,
    /// The form was of another flow than the browser is in now.
    StaleForm,
    /// The last code is too young for another one; how long, the log tells.
    TooSoon,
    /// Another code would be one too many.
    TooMany,
}

/// What the page that asks for the login id of a forgotten password may have to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForgotMessage {
    /// The field was left empty.
    Missing,
    /// The form was too old.
    StaleForm,
    /// The reset is over.
    Over,
}

/// What the page that asks for a new password may have to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NewPasswordMessage {
    /// The first field was left empty.
    Missing,
    /// Too few characters.
    TooShort,
    /// Too many characters.
    TooLong,
    /// Both fields do not hold the same.
    Mismatch,
    /// Many people use it.
    Common,
    /// It holds a word that belongs to the account or the system.
    Contextual,
    /// It is the one that must be changed.
    Unchanged,
    /// The form was too old.
    StaleForm,
}

impl SignInMessage {
    /// The note with this message and no login id.
    pub fn note(self) -> Note {
        self.with(String::new())
    }

    /// The note with this message and the login id as typed.
    pub fn with(self, typed: String) -> Note {
        Note::SignIn { message: self, typed }
    }

    /// Which element of `/signin` gets the focus.
    pub fn focus(self) -> &'static str {
        match self {
            Self::WrongPassword => "password",
            Self::Cancelled | Self::ResetCancelled => "user_id",
            Self::Missing { .. }
            | Self::UnknownAccount
            | Self::NotAccepted
            | Self::Locked
            | Self::Disabled
            | Self::NoEmail
            | Self::StaleForm
            | Self::FlowOver
            | Self::Idle
            | Self::Absolute
            | Self::EndedElsewhere => "error-summary",
        }
    }
}
