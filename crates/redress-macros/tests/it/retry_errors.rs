//! What the caller gets: the call's error, or one made from it.

use std::error::Error;
use std::io;
use std::num::ParseIntError;
use std::time::Duration;

use redress::error::BoxError;
use redress::{CallError, Policy, Retry, StopReason, fixed, retry};

#[derive(Debug, thiserror::Error)]
enum AppError {
    #[error("not found")]
    NotFound,
    #[error("{0} after {1} attempts")]
    Ended(StopReason, u32),
}

impl From<CallError<Self>> for AppError {
    fn from(error: CallError<Self>) -> Self {
        let (reason, attempts) = (error.stop_reason(), error.attempts());
        error.into_error().unwrap_or(Self::Ended(reason, attempts))
    }
}

#[retry(policy = policy.context().deadline(left))]
fn find<'a>(policy: &Policy, left: Duration, name: &'a str) -> Result<&'a str, AppError> {
    name.strip_prefix("known ").ok_or(AppError::NotFound)
}

#[test]
fn an_error_that_holds_the_calls_keeps_the_signature() {
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).build().unwrap();
    let find = |left, name| find(&retry.clone().into(), left, name);
    let minute = Duration::from_secs(60);
    assert_eq!(find(minute, "known ada").unwrap(), "ada");
    assert!(matches!(find(minute, "grace"), Err(AppError::NotFound)));
    assert!(matches!(find(Duration::ZERO, "grace"), Err(AppError::Ended(StopReason::DeadlineExceeded, 0))));
}

#[derive(Debug, thiserror::Error)]
enum Settings {
    #[error("the settings cannot be read")]
    Read(#[from] CallError<io::Error>),
    #[error("the port is no number")]
    Port(#[from] ParseIntError),
}

#[retry(error = io::Error)]
fn read(path: &str) -> Result<String, Settings> {
    std::fs::read_to_string(path)
}

#[retry(error = io::Error)]
fn read_any(path: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
}

#[retry(error = io::Error)]
fn read_box(path: &str) -> Result<impl AsRef<str> + use<>, Box<dyn Error>> {
    std::fs::read_to_string(path)
}

fn port(path: &str) -> Result<u16, Settings> {
    Ok(read(path)?.trim().parse()?)
}

#[test]
fn the_body_may_return_another_error_than_the_function() {
    assert!(matches!(port("/no/such/file"), Err(Settings::Read(call)) if call.attempts() == 1));
    assert!(matches!(port("Cargo.toml"), Err(Settings::Port(_))));
    assert!(read_any("/no/such/file").unwrap_err().is::<CallError<io::Error>>());
    assert!(read_box("/no/such/file").err().unwrap().is::<CallError<io::Error>>());
    assert!(read_box("Cargo.toml").unwrap().as_ref().contains("redress"));
}

#[retry(boxed)]
fn boxed(text: &str) -> anyhow::Result<u16> {
    let number = text.parse::<u16>()?;
    anyhow::ensure!(number > 1024, io::Error::from(io::ErrorKind::PermissionDenied));
    Ok(number)
}

#[retry(boxed, runtime = tokio, error = Box<dyn Error + Send + Sync>)]
async fn boxed_later(text: &str) -> Result<u16, CallError<BoxError>> {
    Ok(text.parse()?)
}

#[tokio::test]
async fn boxed_errors_work_on_both_sides() {
    assert_eq!(boxed("8080").unwrap(), 8080);
    let denied = boxed("80").unwrap_err();
    let call = denied.downcast_ref::<CallError<BoxError>>().unwrap();
    assert_eq!(call.last_class(), Some(redress::ErrorClass::Permission), "read by the classifier for boxes");
    assert_eq!(boxed_later("8080").await.unwrap(), 8080);
}

type Read<T> = Result<T, CallError<io::Error>>;

#[retry(error = io::Error)]
fn aliased(path: &str) -> Read<Vec<u8>> {
    std::fs::read(path)
}

#[test]
fn an_alias_of_the_result_names_its_error() {
    assert!(!aliased("Cargo.toml").unwrap().is_empty());
    assert_eq!(aliased("/no/such/file").unwrap_err().operation(), Some("aliased"));
}
