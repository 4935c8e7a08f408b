//! What Sekisho writes by mail (screens 1.7): letters that bring a code, and those that tell what happened.
//!
//! The words stand in `templates`, as plain text; the HTML beside it is made of the same words. Nothing that a person typed is in a
//! letter, and nothing to click on.

mod charset;
mod content;
mod message;
mod moment;

pub use charset::Charset;
pub use content::{CODE_SUBJECT, Code, Content, Written};
pub use message::{Letter, LetterError, Letters, MailFrom};
