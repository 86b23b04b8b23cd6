//! The pages are read when this crate is compiled: a change of them compiles it again.

fn main() {
    println!("cargo:rerun-if-changed=../../web/dist");
}
