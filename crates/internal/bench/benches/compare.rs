//! The entry point of `cargo bench -p redress-bench -- ARGS`, which runs the comparison in the
//! library.

use std::process::ExitCode;

fn main() -> ExitCode {
    redress_bench::run()
}
