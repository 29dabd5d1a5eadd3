//! `cargo bench -p redress-bench -- ARGS`: the comparison is the library's; this only starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    redress_bench::run()
}
