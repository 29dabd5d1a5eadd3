//! The target `engine_schedule` as a program: under libFuzzer, or on the files it is given.
//!
//! What it checks is `redress_fuzz::engine_schedule`'s.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| redress_fuzz::engine_schedule(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    redress_fuzz::replay_files(redress_fuzz::engine_schedule)
}
