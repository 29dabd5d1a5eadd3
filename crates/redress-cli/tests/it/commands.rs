//! Runs every example in `tests/cmd`, and compares what it prints. `TRYCMD=overwrite` writes them.

#[test]
fn the_command_prints_what_the_examples_show() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}
