//! What every process of Sekisho has: settings, a life cycle, telemetry, a gRPC server that knows its callers,
//! clients that balance over replicas, health and readiness, keys and seals.
//!
//! Nothing here knows what a password or a session is. A service's `main` is one call:
//!
//! ```no_run
//! use sekisho_service::process::{self, Process};
//! use sekisho_service::server::{Method, Server, ServerSettings};
//! use sekisho_service::settings::{Reader, Settings};
//! use sekisho_service::roles;
//!
//! struct Config {
//!     server: ServerSettings,
//! }
//!
//! impl Settings for Config {
//!     fn read(reader: &mut Reader) -> Option<Self> {
//!         let server = ServerSettings::read(reader);
//!         Some(Self { server: server? })
//!     }
//! }
//!
//! const CALLERS: &[Method] = &[Method {
//!     path: "/signin.otp.v1.OtpService/IssueCode",
//!     roles: &[roles::GATEWAY],
//! }];
//!
//! async fn serve(config: Config, process: Process) -> Result<(), process::Error> {
//!     let server = Server::new(&config.server, CALLERS)?;
//!     let folded = process.latch("the log is folded");
//!     // … tasks start here; the one that folds the log calls `folded.release()` at the head.
//!     folded.release();
//!     server.serve(&process).await?;
//!     Ok(())
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     process::run::<Config, _>("otp", serve)
//! }
//! ```

pub mod aead;
pub mod client;
mod crypto;
mod deadline;
pub mod enquiry;
pub mod entropy;
mod error;
mod late;
mod listen;
pub mod mac;
pub mod process;
pub mod readiness;
pub mod refusal;
pub mod roles;
pub mod second_best;
pub mod server;
pub mod settings;
pub mod telemetry;
pub mod text;
pub mod tls;
pub mod version;
pub mod web;

pub use error::chain;
pub use late::Late;
pub use listen::BindError;
