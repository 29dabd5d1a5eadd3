//! Compiler messages for common mistakes, as shaped by the diagnostic attributes of this workspace.
//!
//! The recorded texts are those of rustc 1.95, whose wording changes between releases: after a
//! toolchain update run `TRYBUILD=overwrite cargo test -p redress-compile-fail`, and read what
//! changed before keeping it. Each file in `mistakes/` is one mistake. Review its `.stderr` like
//! code. Files in `mended/` were mistakes once, and compile. Files in `macros/` hold the mistakes
//! that one macro finds in one pass.

#[test]
fn mistakes_are_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/mistakes/*.rs");
    cases.compile_fail("tests/macros/*.rs");
    cases.pass("tests/mended/*.rs");
}
