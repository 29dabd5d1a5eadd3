//! The program for the target `policy_file`: runs under libFuzzer, or on the files named as
//! arguments.
//!
//! The target is `redress_fuzz::policy_file`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| redress_fuzz::policy_file(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    redress_fuzz::replay_files(redress_fuzz::policy_file)
}
