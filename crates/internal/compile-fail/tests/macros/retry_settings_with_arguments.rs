//! A setting that uses an argument, although the function has one policy for all calls.

use std::io;

use redress::{CallError, retry};

#[retry(max_attempts = attempts)]
fn load(attempts: u32) -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

fn main() {}
