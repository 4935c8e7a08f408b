//! The program behind `cargo dev`.
fn main() {}
