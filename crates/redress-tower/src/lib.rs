//! Policies of [redress](https://github.com/redress-rs/redress) as tower layers, for clients and
//! for servers.
//!
//! [`PolicyLayer`] puts a policy around any [`Service`](tower_service::Service). A [`Protocol`]
//! decides whether and how a request is replayed: [`CloneRequest`] clones it and is the default,
//! [`replay_with`] calls a function, `http::HttpProtocol` (feature `http`) handles HTTP, and
//! [`Once`] never replays. `http::DeadlineLayer` is for servers: it refuses and ends work whose
//! caller has stopped waiting. [`policy_provider`] chooses a policy for each request. `RetryBudget`
//! (feature `retry`) uses a budget for tower's own retry layer.
//!
//! ```
//! use std::convert::Infallible;
//! use std::time::Duration;
//! use redress::{ErrorClass, Retry, fixed};
//! use redress::classify::result_classifier;
//! use redress::runtime::tokio::AsyncPolicy;
//! use redress::integration::tower::PolicyLayer;
//! use tower::{Layer as _, Service as _, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let policy = AsyncPolicy::builder()
//!     .classifier(result_classifier(|answer: &&str| (*answer == "busy").then_some(ErrorClass::RateLimit)))
//!     .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3))
//!     .build()?;
//! let answers = std::sync::Mutex::new(vec!["done", "busy"]);
//! let answers = std::sync::Arc::new(answers);
//! let mut service = PolicyLayer::new(policy).layer(service_fn(move |_: u32| {
//!     let answer = answers.lock().unwrap().pop().unwrap();
//!     async move { Ok::<_, Infallible>(answer) }
//! }));
//! assert_eq!(service.call(7).await?, "done");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod layer;
pub use layer::PolicyLayer;

mod service;
pub use service::PolicyService;

mod request_replay;

mod future;
pub use future::PolicyFuture;

mod protocol;
pub use protocol::{CloneRequest, ContextFor, Once, Protocol, ReplayWith, replay_with};

mod source;
pub use source::{PolicyProvider, PolicyProviderFn, policy_provider};

#[cfg(feature = "http")]
mod body_replay;
#[cfg(feature = "http")]
mod deadline_layer;
#[cfg(feature = "http")]
mod deadline_service;
#[cfg(feature = "http")]
mod refusal;
#[cfg(feature = "http")]
pub mod http;

#[cfg(feature = "retry")]
mod retry_budget;
#[cfg(feature = "retry")]
pub use retry_budget::RetryBudget;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
