#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod classify;
mod paths;
mod retry;
mod spelling;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Implements `Classify` for an error: every variant says which class it is. A variant that says
/// nothing does not compile, so one that is added later cannot be forgotten.
///
/// ```
/// use std::time::Duration;
/// use redress::classify::own_classifier;
/// use redress::{Classify, ErrorClass, Policy};
///
/// #[derive(Debug, thiserror::Error, Classify)]
/// enum StoreError {
///     #[error("no such row")]
///     #[classify(Permanent)]
///     NoRow,
///     #[error("too many requests")]
///     #[classify(RateLimit, retry_after = wait)]
///     Busy { wait: Option<Duration> },
///     #[error(transparent)]
///     #[classify(forward)]
///     Io(#[from] std::io::Error),
/// }
///
/// let busy = StoreError::Busy { wait: Some(Duration::from_secs(3)) }.classification();
/// assert_eq!((busy.class(), busy.retry_after()), (ErrorClass::RateLimit, Some(Duration::from_secs(3))));
/// let refused = StoreError::from(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
/// assert_eq!(refused.classification().class(), ErrorClass::Transient);
///
/// let policy = Policy::builder().classifier(own_classifier()).build()?;
/// let outcome = policy.execute(|| Err::<(), _>(StoreError::NoRow));
/// assert_eq!(outcome.last_class(), Some(ErrorClass::Permanent));
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// The policy needs the `own_classifier()`: the default classifier does not know the derived
/// classes.
///
/// # What decides the class
///
/// Exactly one of these for each variant, or for a struct:
///
/// | `#[classify(..)]` | the classification |
/// |---|---|
/// | `Transient`, or another `ErrorClass` | that class |
/// | `forward` | that of the error inside, which implements `Classify`: a derived error, `io::Error`, `Box<dyn Error>`, an error of `redress::error`, or a `Box` or `Arc` of one |
/// | `default_classifier` | what the default classifier says about the error inside: any `std::error::Error + 'static` |
/// | `with = function` | what a function or closure says about the error inside: an `ErrorClass` or a `Classification` |
/// | `abort` | ends the call |
///
/// The error inside is the only field, or the one marked `#[source]` or `#[from]`, or the one
/// called `source`. `forward = field`, `default_classifier = field` and `forward = 0` name another.
/// Forwarding sees through `#[error(transparent)]`, which hides an error from the default
/// classifier.
///
/// A type parameter of a field that is asked or shown gets the bound that this needs, such as
/// `E: Classify`. Others get none.
///
/// # What else it says
///
/// | `#[classify(.., ..)]` | adds |
/// |---|---|
/// | `retry_after = field` | the hint of that field, a `Duration` or an `Option<Duration>` |
/// | `details(key = "text", key = field)` | details; a field is shown with `Display`. Keep them low-cardinality: they appear in metrics and logs |
/// | `forbid_retry = "reason"` | no further attempt |
/// | `unsent` | the failure certainly had no effect |
/// | `timed_out` | the error reports a timeout |
///
/// # Without the facade
///
/// `#[classify(crate = redress_core)]` on the type takes the names from another crate than
/// `redress`.
#[proc_macro_derive(Classify, attributes(classify))]
pub fn derive_classify(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input);
    classify::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes every call of a function a call of a policy: the body is the operation, and runs once for
/// each attempt.
///
/// ```
/// use redress::{CallError, retry};
///
/// /// Reads the manifest. Up to 6 attempts within 60 s.
/// #[retry]
/// fn manifest(path: &str) -> Result<String, CallError<std::io::Error>> {
///     std::fs::read_to_string(path) // the body returns the error inside
/// }
///
/// assert!(manifest("Cargo.toml")?.contains("redress"));
/// let missing = manifest("no/such/file").unwrap_err();
/// assert_eq!(missing.to_string(), "manifest failed (permanent): failures of this class are not retried");
/// # Ok::<(), CallError<std::io::Error>>(())
/// ```
///
/// An `async fn` needs a policy, or a runtime whose timer it waits on:
///
/// ```
/// use redress::runtime::tokio::AsyncPolicy;
/// use redress::{CallError, retry};
///
/// struct Orders {
///     policy: AsyncPolicy,
/// }
///
/// impl Orders {
///     #[retry(policy = self.policy)]
///     async fn read(&self, path: &str) -> Result<Vec<u8>, CallError<std::io::Error>> {
///         std::fs::read(path)
///     }
/// }
///
/// #[retry(runtime = tokio, max_attempts = 3)]
/// async fn read(path: &str) -> Result<Vec<u8>, CallError<std::io::Error>> {
///     std::fs::read(path)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), CallError<std::io::Error>> {
/// let orders = Orders { policy: AsyncPolicy::default() };
/// assert_eq!(orders.read("Cargo.toml").await?, read("Cargo.toml").await?);
/// # Ok(())
/// # }
/// ```
///
/// # Which policy
///
/// | argument | the policy | its expressions are evaluated |
/// |---|---|---|
/// | none | one of the function, with the defaults of `Policy` | |
/// | settings: `max_attempts`, `strategy`, `budget`, `max_unknown_retries`, `max_retry_after`, `deadline`, `attempt_timeout`, `circuit_breaker`, `observer` | one of the function, built with the methods of the same names | once, at the first call: they cannot use arguments |
/// | `policy = expression` | one that exists: a `static`, a field, a function that returns one | for each call: it may use `self` and arguments |
/// | `runtime = tokio`, `smol`, `async_std`, or the path of a module with an `AsyncPolicy` | with the first two, for an `async fn` | |
///
/// All calls of the function share its policy, and with it the breaker and the budget. A generic
/// function has one policy, whatever its parameters are. An expression for `policy` that builds one
/// is refused, because each call would start with a new breaker.
///
/// # Further arguments
///
/// | argument | meaning |
/// |---|---|
/// | `operation = "name"` | the name in events and errors. Default: the function's name |
/// | `classifier = expression` | replaces the policy's classifier, which by default is the default classifier; evaluated for each call |
/// | `clone(order, token)` | gives each attempt a clone of these arguments |
/// | `error = Type` | the error that the body returns, if it is not the function's |
/// | `boxed` | the body returns `anyhow::Error` or a boxed error: the classifier is `boxed_classifier()`, if none is set |
/// | `crate = redress_core` | takes the names from another crate than `redress` |
///
/// # What the caller gets
///
/// The function keeps its signature. A call can end without an error of the body, at an open
/// breaker or a deadline, so the declared error must be able to say so:
///
/// - `Result<T, CallError<E>>` returns the call's error as it is. The body returns `Result<T, E>`.
/// - `Result<T, E>` needs `E: From<CallError<E>>`, and the body returns the same `Result<T, E>`.
/// - With `error = F`, the body returns `Result<T, F>`, and `E: From<CallError<F>>`, as `?` needs
///   it too: `anyhow::Error`, `Box<dyn Error>` and enums with a `#[from]`.
/// - With `boxed`, the body's error is boxed, and `E: From<CallError<BoxError>>`. So
///   `anyhow::Result<T>` works on both sides.
///
/// # What the body may do
///
/// It runs several times, so it borrows the arguments. If it moves one, name it in `clone(..)`. A
/// `mut` argument must be named there too: otherwise an attempt would start with what the last one
/// left. `self`, generics, lifetimes, `impl Trait`, `?` and `return` work as in any function. An
/// `async fn` cannot have `&mut` arguments, because a future cannot borrow them once for each
/// attempt. A `const fn` and an `extern fn` cannot be retried.
///
/// # Panics
///
/// The function panics at its first call if a setting is invalid, and names every rule that is
/// broken.
#[proc_macro_attribute]
pub fn retry(arguments: TokenStream, item: TokenStream) -> TokenStream {
    retry::expand(arguments.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
