//! The program for the target `llm_response`: runs under libFuzzer, or on the files named as
//! arguments.
//!
//! The target is `redress_fuzz::llm_response`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| redress_fuzz::llm_response(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    redress_fuzz::replay_files(redress_fuzz::llm_response)
}
