//! Compiler messages for common mistakes, as shaped by the diagnostic attributes of this workspace.
//!
//! The recorded texts are those of rustc 1.95, whose wording changes between releases: after a
//! toolchain update run `TRYBUILD=overwrite cargo test -p redress --test compile_fail`, and read
//! what changed before keeping it. Each file in `compile_fail/` is one mistake. Review its
//! `.stderr` like code.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
