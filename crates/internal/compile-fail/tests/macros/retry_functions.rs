//! Functions that cannot be retried.

use std::io;

use redress::{CallError, retry};

#[retry]
const fn constant() -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[retry]
extern "C" fn exported() -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[retry]
fn nothing() {}

#[retry]
fn optional() -> Option<u8> {
    None
}

#[retry]
fn several() -> (u8, u8) {
    (1, 2)
}

#[retry]
fn future() -> impl Future<Output = Result<u8, CallError<io::Error>>> {
    async { Ok(7) }
}

#[retry]
fn boxed_future() -> std::pin::Pin<Box<dyn Future<Output = Result<u8, CallError<io::Error>>>>> {
    Box::pin(async { Ok(7) })
}

trait Load {
    #[retry]
    fn load(&self) -> Result<u8, CallError<io::Error>>;
}

#[retry]
struct Loader;

fn main() {}
