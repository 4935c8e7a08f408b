//! A new migration must reach the program without `cargo clean`.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
