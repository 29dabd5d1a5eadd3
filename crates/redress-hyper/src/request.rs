//! One request through a policy, with what is its own.
//!
//! Owns a request's settings and the way from it to its response. Runs nothing; `attempts.rs` and
//! the policy's call do.

use std::borrow::Cow;
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response};
use redress_core::driver::Timer;
use redress_core::error::Failure;
use redress_core::policy::{NoRetryHook, RetryHook};
use redress_core::{AsyncPolicy, CallContext, CallError, Classifier, ErrorClass, RetryOutcome, StopReason};
use redress_http::{
    Drain, Head, IdempotencyGuard, Redacted, ReplayBody, RequestRules, SelectedPolicy, default_operation,
};

use crate::attempts::{Attempts, send_once};
use crate::error::HyperError;
use crate::read_ahead::ReadAhead;
use crate::request_replay::{Allowed, RequestReplay};
use crate::response_body::ResponseBody;
use crate::transport::Transport;

/// How a call over `T` ended, in full: the response, good or bad, by reference as
/// [`last_value`](RetryOutcome::last_value), and what the classifier made of a bad one as
/// [`last_classification`](RetryOutcome::last_classification).
pub type RequestOutcome<T> = RetryOutcome<Response<ResponseBody<<T as Transport>::ResponseBody>>, HyperError>;

/// A request on its way through a policy. Made by a [`RetryingClient`](crate::RetryingClient),
/// whose settings it begins with, or by [`new`](Self::new).
#[must_use = "a request does nothing unless it is sent"]
pub struct RetryingRequest<'c, T: Transport, C, Tm, N = NoRetryHook> {
    transport: &'c T,
    policy: SelectedPolicy<'c, AsyncPolicy<C, Tm>>,
    context: CallContext<'c, (), N>,
    parts: Parts,
    body: ReplayBody<T::RequestBody>,
    settings: Settings<'c>,
}

/// What a request has of its client, or of its own.
#[derive(Default)]
pub(crate) struct Settings<'c> {
    pub(crate) guard: IdempotencyGuard,
    pub(crate) drain: Drain,
    pub(crate) bypass: bool,
    /// What the client sets for the call.
    pub(crate) of_client: Option<CallContext<'static, ()>>,
    /// The client's, which may name requests.
    pub(crate) rules: Option<&'c RequestRules>,
    /// The name of this request.
    pub(crate) name: Option<Cow<'c, str>>,
    /// Why there is no request to send.
    pub(crate) never: Option<http::Error>,
}

impl<'c, T: Transport, C, Tm> RetryingRequest<'c, T, C, Tm> {
    /// The request over this transport with this policy.
    pub fn new<B>(transport: &'c T, policy: &'c AsyncPolicy<C, Tm>, request: Request<B>) -> Self
    where
        B: Into<ReplayBody<T::RequestBody>>,
    {
        Self::with(transport, SelectedPolicy::Own(policy), request, Settings::default())
    }

    pub(crate) fn with<B>(
        transport: &'c T,
        policy: SelectedPolicy<'c, AsyncPolicy<C, Tm>>,
        request: Request<B>,
        settings: Settings<'c>,
    ) -> Self
    where
        B: Into<ReplayBody<T::RequestBody>>,
    {
        let (parts, body) = request.into_parts();
        Self { transport, policy, context: CallContext::new(), parts, body: body.into(), settings }
    }

    /// The same, which fails with this error when it is sent.
    pub(crate) fn never(mut self, error: http::Error) -> Self {
        self.settings.never = Some(error);
        self
    }
}

impl<'c, T: Transport, C, Tm, N> RetryingRequest<'c, T, C, Tm, N> {
    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.parts.headers.append(name, value);
        self
    }

    /// Names the operation in events and metrics. Default: the client's name for it, or else method
    /// and path.
    pub fn operation(mut self, name: impl Into<Cow<'c, str>>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// Whether this request may be sent again although it is not known to be idempotent. Default:
    /// the client's guard.
    pub const fn retry_non_idempotent(mut self, retry: bool) -> Self {
        self.settings.guard = self.settings.guard.retry_non_idempotent(retry);
        self
    }

    /// How much of a response that is to be retried is read, and for how long. Default: the
    /// client's, see [`drain`](crate::RetryingClient::drain).
    pub const fn drain(mut self, max_bytes: usize, max_time: Duration) -> Self {
        self.settings.drain = Drain::new(max_bytes, max_time);
        self
    }

    /// Lets this request pass by the policy, or not: sent once, with neither breaker nor events.
    /// Default: as the client's [`bypass_if`](crate::RetryingClient::bypass_if) has it.
    pub const fn bypass(mut self, bypass: bool) -> Self {
        self.settings.bypass = bypass;
        self
    }

    /// Sends it through another policy than the client's, which may have another classifier and
    /// timer. It takes a clone: breaker and budget are the policy's. What was set here before, and
    /// [`context`](Self::context) above all, stays.
    pub fn policy<D: Clone, Tm2: Clone>(self, policy: &AsyncPolicy<D, Tm2>) -> RetryingRequest<'c, T, D, Tm2, N> {
        let Self { transport, context, parts, body, settings, .. } = self;
        RetryingRequest { transport, policy: SelectedPolicy::Provided(policy.clone()), context, parts, body, settings }
    }

    /// Sets what a policy's call can be given besides: a deadline, an abort handle, hooks, a sleep
    /// handler, a timeline. It goes [within](CallContext::within) what the client sets: deadlines
    /// and abort handles of both hold.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::{AbortHandle, CallContext};
    /// use redress::integration::hyper::{RetryingClient, Transport};
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// # fn get<T: Transport<RequestBody: Default + 'static>, C>(client: &RetryingClient<T, AsyncPolicy<C>>, gave_up: &AbortHandle) {
    /// let context = CallContext::new().deadline(Duration::from_secs(2)).abort_on(gave_up);
    /// let request = client.get("http://localhost/orders").context(context);
    /// # let _ = request;
    /// # }
    /// ```
    pub fn context<M>(self, context: CallContext<'c, (), M>) -> RetryingRequest<'c, T, C, Tm, M> {
        let Self { transport, policy, parts, body, settings, .. } = self;
        RetryingRequest { transport, policy, context, parts, body, settings }
    }
}

impl<'c, T, C, Tm, N> RetryingRequest<'c, T, C, Tm, N>
where
    T: Transport,
    C: Classifier<Response<ResponseBody<T::ResponseBody>>, HyperError> + Clone,
    Tm: Timer + Clone,
    N: RetryHook<HyperError> + Send + Sync + 'c,
{
    /// Sends it, as often as the policy has it.
    ///
    /// The response is what the other side said, good or bad: a bad one that the policy gave up on
    /// is a response all the same. It has an [`OutcomeSummary`](redress_core::OutcomeSummary) among
    /// its extensions.
    ///
    /// # Errors
    ///
    /// If there is no response: the connection failed, the attempt timed out, the breaker is open,
    /// the call was aborted or deferred. If its URI does not parse, it fails with a [`HyperError`]
    /// that [says so](HyperError::is_request), and neither policy nor server hears of it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the attempt, stops the call where it is, and gives a breaker's
    /// permit back.
    pub async fn send(self) -> Result<Response<ResponseBody<T::ResponseBody>>, CallError<HyperError>> {
        let outcome = self.execute().await;
        let summary = outcome.summary().clone();
        let mut response = outcome.into_last_value()?;
        response.extensions_mut().insert(summary);
        Ok(response)
    }

    /// [`send`](Self::send) with the outcome in full, in which a bad response is the last failure.
    ///
    /// ```
    /// use redress::integration::hyper::{HyperClassifier, RetryingClient, Transport};
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// # async fn get<T: Transport<RequestBody: Default + 'static>>(client: &RetryingClient<T, AsyncPolicy<HyperClassifier>>) {
    /// let outcome = client.get("http://localhost/orders").execute().await;
    /// if let (Some(response), Some(failure)) = (outcome.last_value(), outcome.last_classification()) {
    ///     println!("{}: {} after {} attempts", response.status(), failure.class(), outcome.attempts());
    /// }
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn execute(self) -> RequestOutcome<T> {
        let Self { transport, policy, context, parts, body, mut settings } = self;
        if let Some(error) = settings.never {
            let failure = Failure::Error(HyperError::request(error));
            return RetryOutcome::from_failure(StopReason::NonRetryableClass, 0, ErrorClass::Permanent, failure);
        }
        let call = if settings.bypass {
            policy.passthrough().into_poll_call()
        } else {
            let context = match &settings.of_client {
                Some(of_client) => context.within(of_client.settings()),
                None => context,
            };
            let name = settings.name.take();
            let set = context.settings();
            let is_watched = policy.is_watched() || set.is_watched();
            let by_default = || settings.name_of(&Head::from(&parts));
            let name = name.or_else(|| (is_watched && set.operation().is_none()).then(by_default));
            let context = if let Some(name) = name { context.operation(name) } else { context };
            policy.poll_call().context(context)
        };
        let attempts = if settings.bypass { 1 } else { policy.max_attempts() };
        let allowed = Allowed::of(settings.guard, &parts);
        let replay = RequestReplay::new(parts, body, allowed, attempts);
        let mut running = pin!(None);
        let (timer, drain) = (policy.timer(), settings.drain);
        let begin = |mut request: Request<_>, attempt, is_followed: bool| {
            if let Some(rules) = settings.rules {
                rules.prepare(request.headers_mut(), attempt);
            }
            let ahead = is_followed.then(|| ReadAhead::new(drain, attempt, timer));
            send_once(transport.clone(), request, (policy.classifier(), timer), (allowed, ahead))
        };
        call.run(Attempts::new(replay, begin, running.as_mut())).await
    }
}

impl<'c> Settings<'c> {
    fn name_of(&self, head: &Head<'_>) -> Cow<'c, str> {
        let named = self.rules.and_then(|rules| rules.operation_name(head));
        named.unwrap_or_else(|| default_operation(head.method, head.uri).into())
    }
}

impl<T: Transport, C, Tm, N> fmt::Debug for RetryingRequest<'_, T, C, Tm, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryingRequest")
            .field("method", &self.parts.method)
            .field("uri", &self.settings.never.is_none().then_some(Redacted(&self.parts.uri)))
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
