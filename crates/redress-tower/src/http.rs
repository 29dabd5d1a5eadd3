//! HTTP requests and responses through a layer: which may be sent again, what they are called, and where the outcome goes.
//!
//! Owns the settings of that. The tables are redress-http's.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use ::http::{Request, Response};
use redress_core::OutcomeSummary;
use redress_http::{IdempotencyGuard, default_operation};

use crate::exchange::Exchange;

/// Handles requests of the [`http`](::http) crate.
///
/// | setting | default |
/// |---|---|
/// | [`guard`](Self::guard) | what is known to be idempotent may be sent again: see [`IdempotencyGuard`] |
/// | [`operation`](Self::operation) | [`default_operation`]: method and path |
/// | [`skip_if`](Self::skip_if) | no request is skipped |
///
/// A request that may be sent again is cloned, so its body has to be `Clone`: `Full<Bytes>`, `Empty`, `String`. One that may not is
/// sent once, and if it fails the outcome says `not_idempotent`. Headers and extensions are the same in each attempt.
///
/// The response has an [`OutcomeSummary`] among its extensions, whether it is good or one that the policy gave up on.
///
/// ```
/// use ::http::{Request, Response};
/// use redress_core::{OutcomeSummary, Retry, fixed};
/// use redress_http::http_retry_after_classifier;
/// use redress_tower::PolicyLayer;
/// use redress_tower::http::HttpExchange;
/// use std::time::Duration;
/// use tower::{Layer as _, Service as _, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = redress_tokio::AsyncPolicy::builder()
///     .classifier(http_retry_after_classifier())
///     .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3))
///     .build()?;
/// let mut client = PolicyLayer::new(policy).exchange(HttpExchange::new()).layer(service_fn(|_: Request<String>| async {
///     Ok::<_, std::io::Error>(Response::builder().status(503).body(()).unwrap())
/// }));
/// let response = client.call(Request::get("http://localhost/orders").body(String::new())?).await?;
/// assert_eq!(response.status(), 503);
/// assert_eq!(response.extensions().get::<OutcomeSummary>().unwrap().attempts(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct HttpExchange {
    guard: IdempotencyGuard,
    operation: Option<OfHead<Cow<'static, str>>>,
    skip_if: Option<OfHead<bool>>,
}

type OfHead<A> = Arc<dyn Fn(&Head<'_>) -> A + Send + Sync>;

/// The head of a request, as far as names and decisions are made of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Head<'r> {
    /// The method.
    pub method: &'r ::http::Method,
    /// Where it goes.
    pub uri: &'r ::http::Uri,
    /// Its headers.
    pub headers: &'r ::http::HeaderMap,
    /// What came along with it: a router's matched path, say.
    pub extensions: &'r ::http::Extensions,
}

impl<'r> Head<'r> {
    /// The head of this request.
    #[must_use]
    pub fn of<B>(request: &'r Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl HttpExchange {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets which requests may be sent again. Default: those known to be idempotent.
    #[must_use]
    pub const fn guard(mut self, guard: IdempotencyGuard) -> Self {
        self.guard = guard;
        self
    }

    /// Names requests for events and metrics. Default: method and path. Keep names low-cardinality: where paths hold identifiers, name
    /// the route.
    #[must_use]
    pub fn operation(mut self, name: impl Fn(&Head<'_>) -> Cow<'static, str> + Send + Sync + 'static) -> Self {
        self.operation = Some(Arc::new(name));
        self
    }

    /// Lets the requests for which `skip` is true pass by the policy: sent once, with neither breaker nor events.
    #[must_use]
    pub fn skip_if(mut self, skip: impl Fn(&Head<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.skip_if = Some(Arc::new(skip));
        self
    }
}

impl<B: Clone, R> Exchange<Request<B>, Response<R>> for HttpExchange {
    fn copy(&self, request: &Request<B>) -> Result<Request<B>, &'static str> {
        let safety = self.guard.safety(request.method(), request.headers());
        if safety.may_retry() { Ok(request.clone()) } else { Err(safety.as_str()) }
    }

    fn operation(&self, request: &Request<B>) -> Option<Cow<'static, str>> {
        Some(match &self.operation {
            Some(name) => name(&Head::of(request)),
            None => default_operation(request.method(), request.uri()).into(),
        })
    }

    fn skips(&self, request: &Request<B>) -> bool {
        self.skip_if.as_ref().is_some_and(|skip| skip(&Head::of(request)))
    }

    fn ended(&self, response: &mut Response<R>, summary: &OutcomeSummary) {
        response.extensions_mut().insert(summary.clone());
    }
}

impl fmt::Debug for HttpExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpExchange").field("guard", &self.guard).finish_non_exhaustive()
    }
}
