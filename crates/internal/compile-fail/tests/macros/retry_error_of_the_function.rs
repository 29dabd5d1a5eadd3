//! Declared errors that cannot hold the error of a call.

use std::io;

use redress::retry;

#[retry]
fn plain(path: &str) -> io::Result<String> {
    std::fs::read_to_string(path)
}

#[retry]
fn number() -> u32 {
    7
}

fn main() {}
