//! The program for the target `retry_after`: runs under libFuzzer, or on the files named as
//! arguments.
//!
//! The target is `redress_fuzz::retry_after`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| redress_fuzz::retry_after(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    redress_fuzz::replay_files(redress_fuzz::retry_after)
}
