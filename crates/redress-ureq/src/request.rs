//! One request through a policy: its settings, and sending it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, Response};
use redress_core::error::Failure;
use redress_core::policy::{NoRetryHook, RetryHook};
use redress_core::{CallContext, CallError, Classifier, ErrorClass, Policy, RetryOutcome, StopReason};
use redress_http::{Head, IdempotencyGuard, PolicySelector, Redacted, RequestRules, SelectedPolicy};
use ureq::config::ConfigBuilder;
use ureq::typestate::HttpCrateScope;
use ureq::{Agent, Body};

use crate::agent::RetryingAgent;
use crate::replay::{Guarded, Limits, Replay, Timeout};
use crate::replay_body::ReplayBody;

/// The full outcome of a call. [`last_value`](RetryOutcome::last_value) is the response by
/// reference, good or bad, and [`last_classification`](RetryOutcome::last_classification) the
/// classification of a bad one.
pub type RequestOutcome = RetryOutcome<Response<Body>, ureq::Error>;

/// A request to be sent through a policy. Made by a [`RetryingAgent`], whose settings it starts
/// with.
///
/// ```no_run
/// use std::time::Duration;
/// use redress::{Policy, Retry};
/// use redress::integration::ureq::{RetryingAgent, ureq_classifier};
///
/// let policy = Policy::builder().classifier(ureq_classifier()).retry(Retry::default()).build()?;
/// let agent = RetryingAgent::new(ureq::agent(), policy);
/// let request = agent.post("http://localhost/orders").header("idempotency-key", "8e03978e").body("an order");
/// let response = request.operation("create_order").timeout(Duration::from_secs(2)).run()?;
/// println!("{}", response.status());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a request does nothing unless it is sent"]
pub struct RetryingRequest<'c, C, N = NoRetryHook> {
    agent: &'c Agent,
    policy: Choice<'c, Policy<C>>,
    rules: &'c RequestRules,
    request: Result<Request<()>, http::Error>,
    body: ReplayBody<'c>,
    context: CallContext<'c, (), N>,
    own: Own<'c>,
}

/// The policy of a request.
enum Choice<'c, P> {
    /// Chosen by the agent, when the request is sent.
    OfAgent(&'c PolicySelector<P>),
    /// Set on the request.
    Own(P),
}

impl<'c, P> Choice<'c, P> {
    fn select(self, head: &Head<'_>) -> SelectedPolicy<'c, P> {
        match self {
            Self::OfAgent(policies) => policies.select(head),
            Self::Own(policy) => SelectedPolicy::Provided(policy),
        }
    }
}

/// What is set for one request.
struct Own<'c> {
    name: Option<Cow<'c, str>>,
    guard: IdempotencyGuard,
    bypass: Option<bool>,
    limits: Limits,
}

impl<'c, C> RetryingRequest<'c, C> {
    pub(crate) fn new(agent: &'c RetryingAgent<Policy<C>>, request: Result<Request<()>, http::Error>) -> Self {
        let (agent, policies, rules, follows_redirects) = agent.parts();
        let limits = Limits { follows_redirects, timeout: Timeout::OfAgent };
        let own = Own { name: None, guard: rules.idempotency(), bypass: None, limits };
        let (policy, body) = (Choice::OfAgent(policies), ReplayBody::empty());
        Self { agent, policy, rules, request, body, context: CallContext::new(), own }
    }
}

impl<'c, C, N> RetryingRequest<'c, C, N> {
    /// Adds a header. An invalid name or value fails the request when it is sent.
    pub fn header<K, V>(self, name: K, value: V) -> Self
    where
        HeaderName: TryFrom<K, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        self.change(|request| {
            let name = HeaderName::try_from(name).map_err(Into::into)?;
            let value = HeaderValue::try_from(value).map_err(Into::into)?;
            request.headers_mut().try_append(name, value)?;
            Ok(())
        })
    }

    /// Sets the body: anything that ureq sends. Bytes and text can be sent again, readers cannot.
    pub fn body(mut self, body: impl Into<ReplayBody<'c>>) -> Self {
        self.body = body.into();
        self
    }

    /// Changes ureq's configuration for this request. `http_status_as_error` has no effect,
    /// and `timeout_per_call` has none on an attempt with a time limit: see
    /// [`RetryingAgent`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::Policy;
    /// use redress::integration::ureq::RetryingAgent;
    ///
    /// # fn get<C>(agent: &RetryingAgent<Policy<C>>) {
    /// let request = agent.get("http://localhost/orders");
    /// let request = request.configure(|config| config.timeout_connect(Some(Duration::from_millis(200))));
    /// # let _ = request;
    /// # }
    /// ```
    pub fn configure(
        mut self,
        change: impl FnOnce(ConfigBuilder<HttpCrateScope<()>>) -> ConfigBuilder<HttpCrateScope<()>>,
    ) -> Self {
        self.request = self.request.map(|request| change(self.agent.configure_request(request)).build());
        self
    }

    /// Sets ureq's `timeout_global` of each attempt, which covers reading the body. An attempt with
    /// less time left has that instead. Default: the agent's.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.own.limits.timeout = Timeout::Own(timeout);
        self
    }

    /// Names the operation in events and metrics. Default: the agent's name for the request, or
    /// method and path.
    pub fn operation(mut self, name: impl Into<Cow<'c, str>>) -> Self {
        self.own.name = Some(name.into());
        self
    }

    /// Sets whether this request may be sent again even if it is not known to be idempotent.
    /// Default: the agent's guard.
    pub fn retry_non_idempotent(mut self, retry: bool) -> Self {
        self.own.guard = self.own.guard.retry_non_idempotent(retry);
        self
    }

    /// Sets whether this request bypasses the policy: one attempt, no breaker, no events. Default:
    /// the agent's `bypass_if`.
    pub fn bypass(mut self, bypass: bool) -> Self {
        self.own.bypass = Some(bypass);
        self
    }

    /// Sends the request through this policy instead of the agent's. It may have another
    /// classifier. The request holds a clone, which shares the policy's breaker and budget.
    /// Settings made before, including [`context`](Self::context), are kept.
    pub fn policy<D: Clone>(self, policy: &Policy<D>) -> RetryingRequest<'c, D, N> {
        let Self { agent, rules, request, body, context, own, .. } = self;
        RetryingRequest { agent, policy: Choice::Own(policy.clone()), rules, request, body, context, own }
    }

    /// Sets the context of this request's call: a deadline, an abort handle, hooks, a sleep
    /// handler, a timeline. It goes [within](CallContext::within) the agent's settings: the
    /// deadlines and abort handles of both apply.
    ///
    /// ```
    /// use redress::{CallContext, Policy};
    /// use redress::integration::ureq::{RetryingAgent, UreqClassifier};
    ///
    /// # fn get(agent: &RetryingAgent<Policy<UreqClassifier>>) {
    /// let context = CallContext::new().on_retry(|retry| eprintln!("{retry}"));
    /// let outcome = agent.get("http://localhost/orders").context(context).execute();
    /// # drop(outcome);
    /// # }
    /// ```
    pub fn context<M>(self, context: CallContext<'c, (), M>) -> RetryingRequest<'c, C, M> {
        let Self { agent, policy, rules, request, body, own, .. } = self;
        RetryingRequest { agent, policy, rules, request, body, context, own }
    }

    fn change(mut self, change: impl FnOnce(&mut Request<()>) -> Result<(), http::Error>) -> Self {
        self.request = self.request.and_then(|mut request| change(&mut request).map(|()| request));
        self
    }
}

impl<'c, C, N> RetryingRequest<'c, C, N>
where
    C: Classifier<Response<Body>, ureq::Error> + Clone,
    N: RetryHook<ureq::Error>,
{
    /// Sends the request, retrying as the policy allows.
    ///
    /// Returns the server's response, good or bad, also if the policy gave up on it. The response
    /// carries an [`OutcomeSummary`](redress_core::OutcomeSummary) in its extensions, which
    /// [`outcome`](redress_http::outcome) reads.
    ///
    /// # Errors
    ///
    /// If there is no response: the connection failed, the attempt timed out, the breaker is open,
    /// or the call was aborted or deferred. A request that could not be built, such as with an
    /// invalid URI, fails without calling the policy or the server. The URIs that errors print have
    /// no user, password or query.
    ///
    /// # Panics
    ///
    /// As [`Policy::call`].
    pub fn run(self) -> Result<Response<Body>, CallError<ureq::Error>> {
        let outcome = self.execute();
        let summary = outcome.summary().clone();
        let mut response = outcome.into_last_value()?;
        response.extensions_mut().insert(summary);
        Ok(response)
    }

    /// Like [`run`](Self::run), but returns the full outcome, in which a bad response is the last
    /// failure.
    ///
    /// ```
    /// use redress::Policy;
    /// use redress::integration::ureq::{RetryingAgent, UreqClassifier};
    ///
    /// # fn get(agent: &RetryingAgent<Policy<UreqClassifier>>) {
    /// let outcome = agent.get("http://localhost/orders").execute();
    /// if let (Some(response), Some(failure)) = (outcome.last_value(), outcome.last_classification()) {
    ///     println!("{}: {} after {} attempts", response.status(), failure.class(), outcome.attempts());
    /// }
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Policy::call`].
    pub fn execute(self) -> RequestOutcome {
        let Self { agent, policy, rules, request, body, context, own } = self;
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                let failure = Failure::Error(ureq::Error::Http(error));
                return RetryOutcome::from_failure(StopReason::NonRetryableClass, 0, ErrorClass::Permanent, failure);
            }
        };
        let (request, limits) = configured(agent, request, own.limits);
        let head = Head::from_request(&request);
        let policy = policy.select(&head);
        let (policy, context) = if own.bypass.unwrap_or_else(|| rules.bypasses(&head)) {
            (SelectedPolicy::Provided(policy.passthrough()), None)
        } else {
            let is_watched = policy.is_watched();
            (policy, Some(rules.context_within(context, own.name, &head, is_watched)))
        };
        let replay = RefCell::new(Replay::new(request, body, own.guard, limits, policy.max_attempts()));
        let guarded = policy.with_classifier(Guarded { inner: policy.classifier(), replay: &replay });
        let send = |attempt| replay.borrow_mut().send(agent, rules, attempt);
        match context {
            Some(context) => context.through(&guarded).execute_with(send),
            None => guarded.execute_with(send),
        }
    }
}

/// Gives the request a configuration of ureq, and finds out whether it had one: their type is
/// private, so only the number of extensions tells.
fn configured(agent: &Agent, request: Request<()>, mut limits: Limits) -> (Request<()>, Limits) {
    let before = request.extensions().len();
    let request = agent.configure_request(request).build();
    if request.extensions().len() == before && matches!(limits.timeout, Timeout::OfAgent) {
        limits.timeout = Timeout::Configured;
    }
    (request, limits)
}

impl<C, N> fmt::Debug for RetryingRequest<'_, C, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = self.request.as_ref().ok();
        f.debug_struct("RetryingRequest")
            .field("method", &request.map(Request::method))
            .field("uri", &request.map(|request| Redacted(request.uri())))
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
