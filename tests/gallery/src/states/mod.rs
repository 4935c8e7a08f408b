//! Every page and state, by name, and how a browser gets there.

mod code;
mod errors;
mod reset;
mod session;
mod sign_in;
mod staff;

use std::sync::LazyLock;

use crate::browser::Browser;
use crate::world::World;

pub use session::with_board;

/// Every page and state, by name.
pub static STATES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    [
        sign_in::STATES,
        staff::STATES,
        code::STATES,
        session::STATES,
        reset::STATES,
        errors::STATES,
    ]
    .concat()
});

/// A browser in which the page with this name is open.
pub async fn show(name: &str) -> Browser {
    show_in(name, None).await
}

/// The same, for a browser that prefers a language.
pub async fn show_in(name: &str, language: Option<&'static str>) -> Browser {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.language = language;
    if sign_in::STATES.contains(&name) {
        sign_in::show(&world, &mut browser, name).await;
    } else if staff::STATES.contains(&name) {
        staff::show(&world, &mut browser, name).await;
    } else if code::STATES.contains(&name) {
        code::show(&world, &mut browser, name).await;
    } else if session::STATES.contains(&name) {
        session::show(&world, &mut browser, name).await;
    } else if reset::STATES.contains(&name) {
        reset::show(&world, &mut browser, name).await;
    } else if errors::STATES.contains(&name) {
        errors::show(&world, &mut browser, name).await;
    } else {
        panic!("there is no state {name}");
    }
    browser
}
