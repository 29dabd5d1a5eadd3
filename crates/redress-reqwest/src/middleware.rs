//! A policy as a middleware of [reqwest-middleware](https://docs.rs/reqwest-middleware), for
//! programs that have a stack of them.
//!
//! ```no_run
//! use redress::integration::reqwest::middleware::PolicyMiddleware;
//! use redress::integration::reqwest::{client_builder, reqwest_classifier};
//! use redress::runtime::tokio::AsyncPolicy;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let policy = AsyncPolicy::builder().classifier(reqwest_classifier()).retry(redress::Retry::default()).build()?;
//! let client = reqwest_middleware::ClientBuilder::new(client_builder().build()?)
//!     .with(PolicyMiddleware::new(policy))
//!     .build();
//! # drop(client);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::Extensions;
use redress_core::driver::Timer;
use redress_core::{AsyncPolicy, CallContext, CallError, Classifier};
use redress_http::{Drain, Head};
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};

use crate::attempts::{Attempts, ReadAhead, Step};
use crate::replay::Replay;
use crate::response::with_summary;
use crate::settings::{Own, Settings, boxed};
use crate::wire::{redacted, uri_if};

/// A middleware that sends every request through a policy `P`, an [`AsyncPolicy`] from a runtime's
/// crate. Clones share the policy with its breaker and budget.
///
/// It has the settings and the rules of [`RetryingClient`](crate::RetryingClient). Middlewares
/// after it run once for each attempt, those before it once for each call.
///
/// - **Extensions**: every attempt starts with those of the request, and from the second on with a
///   [`Repetition`](redress_http::Repetition). Those of the last attempt are handed back, with the
///   call's [`OutcomeSummary`](redress_core::OutcomeSummary). The functions that name a request or
///   choose its policy read them as [`Head::extensions`].
/// - **Errors**: the last attempt's error is returned as it is, so that code that reads it keeps
///   working; only user, password and query of its URL are removed. If there is none, because the
///   circuit is open or the policy cut the attempt, the error is
///   [`Error::Middleware`] of a [`CallError`].
#[derive(Clone)]
pub struct PolicyMiddleware<P> {
    settings: Settings<P>,
}

setters!([P] PolicyMiddleware<P>, P);

impl<P> PolicyMiddleware<P> {
    /// Creates a middleware with this policy.
    #[must_use]
    pub fn new(policy: P) -> Self {
        Self { settings: Settings::new(policy) }
    }

    /// Sets how much of a response that will be retried is read, and for how long, so that its
    /// connection can be reused. Default: 64 KiB and 100 ms. See
    /// [`RetryingClient::drain`](crate::RetryingClient::drain).
    #[must_use]
    pub const fn drain(mut self, max_bytes: usize, max_time: Duration) -> Self {
        self.settings.drain = Drain::new(max_bytes, max_time);
        self
    }
}

impl<C, Tm> PolicyMiddleware<AsyncPolicy<C, Tm>>
where
    C: Classifier<Response, Error> + Clone,
    Tm: Timer + Clone,
{
    async fn run(&self, request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        let Settings { policies, rules, drain, follows_redirects } = &self.settings;
        let is_read = policies.reads_heads() || rules.reads_heads() || policies.policy().is_watched();
        let uri = uri_if(is_read, request.url());
        let head = Head::new(request.method(), &uri, request.headers(), extensions);
        let policy = policies.select(&head);
        let own = Own::default();
        let (call, attempts) = if own.bypasses(rules, &head) {
            (policy.passthrough().into_poll_call(None), 1)
        } else {
            let context = boxed(rules.context_within(CallContext::new(), None, &head, policy.is_watched()));
            (AsyncPolicy::clone(&policy).into_poll_call(context), policy.max_attempts())
        };
        let replay = Replay::new(request, rules.idempotency(), *follows_redirects, attempts);
        let (allowed, timer, classifier) = (replay.allowed(), policy.timer(), policy.classifier());
        let (given, left) = (extensions.clone(), Mutex::new(None));
        let begin = |mut request: Request, step: Step| {
            rules.prepare(request.headers_mut(), step.attempt);
            let (next, left, ahead) = (next.clone(), &left, ReadAhead::of(&step, *drain, timer));
            let mut extensions = given.clone();
            if let Some(repetition) = step.repetition {
                extensions.insert(repetition);
            }
            async move {
                let result = next.run(request, &mut extensions).await;
                *left.lock().unwrap_or_else(PoisonError::into_inner) = Some(extensions);
                match (result.map_err(without_secrets)?, ahead) {
                    (response, Some(ahead)) => ahead.apply(response, classifier, allowed).await,
                    (response, None) => Ok(response),
                }
            }
        };
        let mut running = pin!(None);
        let outcome = call.run(Attempts::new(replay, begin, running.as_mut())).await;
        let summary = outcome.summary().clone();
        if let Some(left) = left.lock().unwrap_or_else(PoisonError::into_inner).take() {
            *extensions = left;
        }
        extensions.insert(summary);
        with_summary(outcome).map_err(error_of)
    }
}

fn without_secrets(error: Error) -> Error {
    match error {
        Error::Reqwest(error) => Error::Reqwest(redacted(error)),
        error => error,
    }
}

/// The attempt's error, or else that of the call.
fn error_of(error: CallError<Error>) -> Error {
    if error.error().is_none() {
        return Error::middleware(error);
    }
    match error.into_error() {
        Some(error) => error,
        None => unreachable!("there is an error"),
    }
}

impl<C, Tm> Middleware for PolicyMiddleware<AsyncPolicy<C, Tm>>
where
    C: Classifier<Response, Error> + Clone + Send + Sync + 'static,
    Tm: Timer<Sleep: Send> + Clone + Send + Sync + 'static,
{
    // As `async_trait` writes it.
    fn handle<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        request: Request,
        extensions: &'life1 mut Extensions,
        next: Next<'life2>,
    ) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.run(request, extensions, next))
    }
}

impl<P: fmt::Debug> fmt::Debug for PolicyMiddleware<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyMiddleware").field("settings", &self.settings).finish()
    }
}
