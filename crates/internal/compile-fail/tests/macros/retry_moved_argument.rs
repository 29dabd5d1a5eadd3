//! A body that moves an argument, which the next attempt needs too: `clone(order)` is missing.

use std::io;

use redress::{CallError, retry};

fn send(order: Vec<u8>) -> io::Result<usize> {
    Ok(order.len())
}

#[retry]
fn submit(order: Vec<u8>) -> Result<usize, CallError<io::Error>> {
    send(order)
}

#[retry(runtime = tokio)]
async fn submit_later(order: Vec<u8>) -> Result<usize, CallError<io::Error>> {
    send(order)
}

fn main() {}
