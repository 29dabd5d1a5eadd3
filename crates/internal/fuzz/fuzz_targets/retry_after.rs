//! The target `retry_after` as a program: under libFuzzer, or on the files it is given.
//!
//! What it checks is `redress_fuzz::retry_after`'s.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| redress_fuzz::retry_after(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    redress_fuzz::replay_files(redress_fuzz::retry_after)
}
