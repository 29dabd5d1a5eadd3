//! Arguments that an attempt would leave changed for the next.

use std::io;

use redress::{CallError, retry};

struct Orders;

impl Orders {
    #[retry(runtime = tokio)]
    async fn add(&mut self) -> Result<u8, CallError<io::Error>> {
        Ok(7)
    }

    #[retry]
    fn take(mut self) -> Result<u8, CallError<io::Error>> {
        Ok(7)
    }
}

#[retry(runtime = tokio)]
async fn fill(rows: &mut Vec<u8>) -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[retry]
fn count_down(mut left: u8) -> Result<u8, CallError<io::Error>> {
    left -= 1;
    Ok(left)
}

#[retry(clone(left))]
fn count_both((mut left, right): (u8, u8)) -> Result<u8, CallError<io::Error>> {
    left -= right;
    Ok(left)
}

fn main() {}
