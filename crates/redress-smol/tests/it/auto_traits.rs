//! Calls are `Send` exactly if their operations are. Checked at compile time.

use std::cell::Cell;
use std::future::Future;
use std::io::Error;
use std::rc::Rc;
use std::time::Duration;

use redress_core::{CallError, Retry, RetryOutcome, fixed};
use redress_smol::{AsyncPolicy, AsyncRetryPolicy, SmolSleep, SmolTimer};
use smol::future::yield_now;

const fn sharable<T: Send + Sync + Unpin + 'static>() {}

const _: () = {
    sharable::<SmolTimer>();
    sharable::<SmolSleep>();
    sharable::<AsyncPolicy>();
    sharable::<AsyncRetryPolicy>();
};

fn assert_send<T: Send>(_: &T) {}

/// A `Send` type implements this twice, so the compiler cannot infer which implementation
/// [`assert_not_send`] means.
trait NotSend<Which> {}
impl<T: ?Sized> NotSend<()> for T {}
impl<T: ?Sized + Send> NotSend<u8> for T {}

fn assert_not_send<T: NotSend<Which>, Which>(_: &T) {}

type Called = Result<u32, CallError<Error>>;

async fn sendable() -> Result<u32, Error> {
    yield_now().await;
    Ok(7)
}

async fn local(count: Rc<Cell<u32>>) -> Result<u32, Error> {
    yield_now().await;
    Ok(count.get())
}

// Separate functions, because `Send` cannot be inferred in the body that creates a closure.

fn call_of_a_local_operation(policy: &AsyncPolicy) -> impl Future<Output = Called> {
    policy.call(|| local(Rc::default()))
}

fn execute_of_a_local_operation(policy: &AsyncPolicy) -> impl Future<Output = RetryOutcome<u32, Error>> {
    policy.execute(|| local(Rc::default()))
}

fn call_that_holds_what_is_local(policy: &AsyncPolicy) -> impl Future<Output = Called> {
    let count = Rc::new(Cell::new(7));
    policy.call_with(move |_| std::future::ready(Ok(count.get())))
}

#[test]
fn a_call_of_a_send_operation_is_send() {
    let policy = AsyncPolicy::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO))).build().unwrap();
    assert_send(&policy.call(sendable));
    assert_send(&policy.execute(sendable));
    assert_send(&policy.call_with(|_| sendable()));
    assert_send(&policy.execute_with(|_| sendable()));
    let context = policy.operation("fetch").on_metric(|_| ()).before_sleep_async(|_, _| yield_now());
    assert_send(&context);
    assert_send(&context.call(sendable));
    assert_send(&context.execute(sendable));
}

#[test]
fn a_call_of_an_operation_that_is_not_is_not() {
    let policy = AsyncPolicy::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO))).build().unwrap();
    let call = call_of_a_local_operation(&policy);
    assert_not_send(&call);
    assert_not_send(&execute_of_a_local_operation(&policy));
    assert_not_send(&call_that_holds_what_is_local(&policy));
    assert_eq!(smol::block_on(call).ok(), Some(0), "it runs where it is");
}
