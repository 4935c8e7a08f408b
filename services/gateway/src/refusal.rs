//! Answers that are no pages of the portal: what is refused, with which status, and what the log says about it.
//!
//! A refusal leaves a handler as a bare status with itself attached; [`crate::edge`] turns it into the Japanese page
//! with an enquiry number and logs it, once.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use sekisho_service::refusal::code_name;
use tonic::Code;

/// Why a request gets an error page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The form cannot be read: unknown or repeated fields, control characters, no UTF-8.
    Unreadable,
    /// The request did not come from the gateway's own form.
    Forged,
    /// A form came without the cookie that it was rendered with.
    CookieMissing,
    /// There is no such page.
    NotFound,
    /// The page does not know this method.
    Method,
    /// The body did not arrive in time.
    TooSlow,
    /// The body is longer than 16 KiB.
    TooLarge,
    /// The body is no form.
    MediaType,
    /// The host is not one of ours.
    WrongHost,
    /// The host is closed.
    Maintenance {
        /// The second host is not.
        elsewhere: bool,
    },
    /// Too many people at once; nothing was done.
    Busy(Place),
    /// Too many attempts from this address failed; nothing was done.
    Throttled(Place),
    /// A service behind the gateway did not give the answer that the page needs.
    Down(Trouble),
    /// A mistake of the gateway itself.
    Broken,
}

/// What went wrong behind the gateway, for the log, and where the person stood, for the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Where the person stood.
    pub place: Place,
    /// The method that was called.
    pub call: &'static str,
    /// Its gRPC status.
    pub code: Code,
    /// Its reason, when it names one that this page does not know what to do with.
    pub reason: Option<String>,
}

/// Where a person stood when something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before the password was accepted.
    SignIn,
    /// Within a flow.
    Email,
    /// Having the code of a sign-in compared.
    Code,
    /// Resetting a password.
    Reset,
    /// Having the code of a reset compared.
    ResetCode,
    /// With a session, which may well be alive.
    SignedIn,
    /// Ending all other sessions.
    Others,
    /// Signing out.
    SignOut,
}

impl Refusal {
    /// The refusal that belongs to a status which the router or a library answered by itself.
    pub fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::Method,
            StatusCode::REQUEST_TIMEOUT => Self::TooSlow,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::MediaType,
            other if other.is_client_error() => Self::Unreadable,
            _ => Self::Broken,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::Forged | Self::CookieMissing => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Maintenance { .. } | Self::Busy(_) | Self::Down(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether a form was refused that no page of the portal sends like that.
    pub fn is_of_a_form(&self) -> bool {
        match self {
            Self::Unreadable | Self::Forged | Self::CookieMissing | Self::TooLarge | Self::MediaType => true,
            Self::NotFound
            | Self::Method
            | Self::TooSlow
            | Self::WrongHost
            | Self::Maintenance { .. }
            | Self::Busy(_)
            | Self::Throttled(_)
            | Self::Down(_)
            | Self::Broken => false,
        }
    }

    /// After how many seconds another try makes sense.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Busy(_) => Some(5),
            Self::Throttled(_) => Some(60),
            Self::Maintenance { .. } => Some(300),
            Self::Down(_) => Some(10),
            _ => None,
        }
    }

    /// The word in the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Forged => "forged",
            Self::CookieMissing => "cookie_missing",
            Self::NotFound => "not_found",
            Self::Method => "method",
            Self::TooSlow => "too_slow",
            Self::TooLarge => "too_large",
            Self::MediaType => "media_type",
            Self::WrongHost => "wrong_host",
            Self::Maintenance { .. } => "maintenance",
            Self::Busy(_) => "busy",
            Self::Throttled(_) => "throttled",
            Self::Down(_) => "down",
            Self::Broken => "broken",
        }
    }

    /// One line of the log, with the number that the page shows.
    pub fn log(&self, enquiry: &str) {
        let (refusal, status) = (self.name(), self.status().as_u16());
        match self {
            Self::Down(trouble) => {
                let reason = trouble.reason.as_deref().unwrap_or_default();
                let code = code_name(trouble.code);
                tracing::error!(
                    enquiry,
                    refusal,
                    status,
                    call = trouble.call,
                    code,
                    reason,
                    "refused"
                );
            }
            Self::Broken => tracing::error!(enquiry, refusal, status, "refused"),
            Self::Forged | Self::CookieMissing | Self::WrongHost | Self::Busy(_) => {
                tracing::warn!(enquiry, refusal, status, "refused");
            }
            // Gathered in the log of sign-ins.
            Self::Throttled(_)
            | Self::Unreadable
            | Self::Maintenance { .. }
            | Self::NotFound
            | Self::Method
            | Self::TooSlow
            | Self::TooLarge
            | Self::MediaType => {
                tracing::info!(enquiry, refusal, status, "refused");
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Why a handler does not answer with its page: it refuses, or the person has to go elsewhere first.
#[derive(Debug)]
pub enum Stop {
    /// An error page.
    Refused(Refusal),
    /// Another page, usually by a redirect.
    Elsewhere(Box<Response>),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Response> for Stop {
    fn from(response: Response) -> Self {
        Self::Elsewhere(Box::new(response))
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Elsewhere(response) => *response,
        }
    }
}
