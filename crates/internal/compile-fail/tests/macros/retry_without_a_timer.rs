//! An asynchronous function whose timer cannot be known.

use std::io;

use redress::{CallError, retry};

#[retry]
async fn load() -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

fn main() {}
