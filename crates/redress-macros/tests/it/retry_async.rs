//! Asynchronous functions.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redress::runtime::tokio::AsyncPolicy;
use redress::{CallError, Retry, StopReason, fixed, retry};

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

struct Client {
    policy: AsyncPolicy,
    attempts: AtomicU32,
}

impl Client {
    fn new() -> Self {
        let retry = Retry::builder().strategy(fixed(Duration::from_secs(10))).build().unwrap();
        Self { policy: retry.into(), attempts: AtomicU32::new(0) }
    }

    #[retry(policy = self.policy)]
    async fn get<'a>(&self, text: &'a str, from: usize) -> Result<&'a str, CallError<io::Error>> {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        if attempt < 2 {
            return Err(reset());
        }
        text.get(from..).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }

    #[retry(policy = self.policy, clone(order, left))]
    async fn send(&self, order: Vec<u8>, mut left: u32) -> Result<(Vec<u8>, u32), CallError<io::Error>> {
        left -= 1;
        if self.attempts.fetch_add(1, Ordering::Relaxed) < 3 {
            Err(reset())?;
        }
        Ok((order, left))
    }
}

#[tokio::test(start_paused = true)]
async fn the_body_runs_once_for_each_attempt() {
    let client = Client::new();
    let started = tokio::time::Instant::now();
    assert_eq!(client.get("hello", 1).await.unwrap(), "ello");
    assert_eq!(started.elapsed(), Duration::from_secs(20));
    assert_eq!(client.get("hello", 9).await.unwrap_err().operation(), Some("get"));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_clones_of_the_arguments_that_are_named() {
    assert_eq!(Client::new().send(vec![1], 7).await.unwrap(), (vec![1], 6));
}

#[retry(runtime = tokio, max_attempts = 3, strategy = fixed(Duration::from_secs(10)))]
async fn fails(attempts: &AtomicU32) -> Result<u8, CallError<io::Error>> {
    attempts.fetch_add(1, Ordering::Relaxed);
    Err(reset())
}

#[tokio::test(start_paused = true)]
async fn a_runtime_gives_the_function_a_policy() {
    let attempts = AtomicU32::new(0);
    let failed = fails(&attempts).await.unwrap_err();
    assert_eq!((failed.stop_reason(), attempts.into_inner()), (StopReason::MaxAttempts, 3));
}

#[retry(runtime = tokio)]
async fn by_default(attempts: &AtomicU32) -> Result<u8, CallError<io::Error>> {
    attempts.fetch_add(1, Ordering::Relaxed);
    Err(reset())
}

#[tokio::test(start_paused = true)]
async fn the_defaults_are_those_of_the_policies() {
    let (attempts, started) = (AtomicU32::new(0), tokio::time::Instant::now());
    let failed = by_default(&attempts).await.unwrap_err();
    assert_eq!((failed.stop_reason(), attempts.into_inner()), (StopReason::MaxAttempts, 6));
    assert!(started.elapsed() >= 5 * Duration::from_millis(250) && started.elapsed() <= 5 * Duration::from_secs(5));
}

#[retry(runtime = redress::runtime::smol)]
async fn on_smol() -> Result<u8, CallError<io::Error>> {
    Ok(7)
}

#[tokio::test]
async fn a_runtime_is_a_name_or_a_path() {
    assert_eq!(on_smol().await.unwrap(), 7);
}

fn is_send(future: impl Future + Send) -> impl Future {
    future
}

#[tokio::test(start_paused = true)]
async fn futures_are_send_if_the_bodys_are() {
    let client = Client::new();
    is_send(client.get("", 0)).await;
}

#[retry(policy = policy)]
async fn counted(policy: &AsyncPolicy, count: &Cell<u32>) -> Result<u32, CallError<io::Error>> {
    count.set(count.get() + 1);
    if count.get() < 2 { Err(reset()) } else { Ok(count.get()) }
}

#[tokio::test(start_paused = true)]
async fn a_body_may_keep_state_that_is_not_sync() {
    assert_eq!(counted(&AsyncPolicy::default(), &Cell::new(0)).await.unwrap(), 2);
}

trait Load {
    async fn load(&self) -> Result<String, CallError<io::Error>>;
}

impl Load for Client {
    #[retry(policy = self.policy)]
    async fn load(&self) -> Result<String, CallError<io::Error>> {
        Ok("loaded".into())
    }
}

#[retry(runtime = tokio)]
async fn generic<T: Clone>(value: &T) -> Result<Box<dyn Iterator<Item = T> + '_>, CallError<io::Error>> {
    Ok(Box::new(std::iter::repeat_with(|| value.clone())))
}

#[retry(runtime = tokio)]
async fn opaque(text: &str) -> Result<impl Iterator<Item = char> + '_, CallError<io::Error>> {
    Ok(text.chars())
}

#[tokio::test]
async fn traits_and_generics_work() {
    assert_eq!(Client::new().load().await.unwrap(), "loaded");
    assert_eq!(generic(&7).await.unwrap().next(), Some(7));
    assert_eq!(opaque("ada").await.unwrap().count(), 3);
}
