//! The stack that tests share which change nothing for each other.

use std::sync::LazyLock;

use sekisho_dev::{Service, Stack, StackOptions};

/// Two sessions replicas, one of everything else.
///
/// # Panics
/// When it cannot be started: then no test can say anything.
pub fn shared() -> &'static Stack {
    static SHARED: LazyLock<Stack> = LazyLock::new(|| {
        let options = StackOptions {
            name: "flows".to_owned(),
            replicas: vec![(Service::Sessions, 2)],
            ..StackOptions::default()
        };
        Stack::start(&options).unwrap_or_else(|error| panic!("the stack does not start: {error:#}"))
    });
    &SHARED
}
