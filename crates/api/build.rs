//! The pages are read when this crate is compiled: a change of them compiles it again.

fn main() {
    // A line for cargo, which reads it from here.
    #[expect(clippy::print_stdout, reason = "build scripts speak so")]
    {
        println!("cargo:rerun-if-changed=../../web/dist");
    }
}
