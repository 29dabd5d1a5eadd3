//! The target `conformance_reader` as a program: under libFuzzer, or on the files it is given.
//!
//! What it checks is `redress_fuzz::conformance_reader`'s.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| redress_fuzz::conformance_reader(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    redress_fuzz::replay_files(redress_fuzz::conformance_reader)
}
