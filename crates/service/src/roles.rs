//! The roles that a certificate may carry (subject OU). Tables of callers are written in these words.

/// Serves browsers.
pub const GATEWAY: &str = "gateway";
/// Accounts and passwords.
pub const CREDENTIALS: &str = "credentials";
/// Codes by mail.
pub const OTP: &str = "otp";
/// Sessions.
pub const SESSIONS: &str = "sessions";
/// The auditors' service.
pub const AUDIT: &str = "audit";
/// A person at a terminal; the certificate's CN is that person's name.
pub const ADMINISTRATOR: &str = "administrator";

/// Every role.
pub const ALL: &[&str] = &[GATEWAY, CREDENTIALS, OTP, SESSIONS, AUDIT, ADMINISTRATOR];
