//! The retrying agent: ureq's, a policy, and the settings for all requests. One request's settings
//! are in `request.rs`.

use std::fmt;

use http::{Method, Request, Response, Uri};
use redress_core::{CallError, Classifier, Policy};
use redress_http::{PolicySelector, RequestRules};
use ureq::{Agent, Body};

use crate::replay_body::ReplayBody;
use crate::request::{RequestOutcome, RetryingRequest};

/// An agent of ureq whose requests go through a policy `P`, a [`Policy`]. Clones share the agent,
/// and the policy with its breaker and budget.
///
/// [`run`](Self::run), [`execute`](Self::execute) and [`retrying`](Self::retrying) take an
/// [`http::Request`], as ureq's agent does; [`get`](Self::get), [`post`](Self::post) and the like
/// start one.
///
/// | setting | default |
/// |---|---|
/// | [`per_host`](Self::per_host), [`per_key`](Self::per_key), [`policy_provider`](Self::policy_provider) | the agent's policy for each request |
/// | [`guard`](Self::guard) | requests that are known to be idempotent may be sent again, see [`IdempotencyGuard`](redress_http::IdempotencyGuard) |
/// | [`operation`](Self::operation), [`operation_for`](Self::operation_for) | [`default_operation`](redress_http::default_operation): method and path |
/// | [`deadline`](Self::deadline), [`abort_on`](Self::abort_on) | the policy's alone |
/// | [`context_for`](Self::context_for) | the policy's settings for each call |
/// | [`bypass_if`](Self::bypass_if) | no request bypasses the policy |
/// | [`attempt_headers`](Self::attempt_headers) | headers are the same in each attempt |
/// | [`send_deadline`](Self::send_deadline), [`send_deadline_as`](Self::send_deadline_as), [`send_attempt`](Self::send_attempt) | not sent |
/// | [`follows_redirects`](Self::follows_redirects) | whether ureq's agent does |
///
/// - **Failures** are decided by the policy's classifier: use
///   [`ureq_classifier`](crate::ureq_classifier) or a custom one. A bad status is a response, not
///   an error: `http_status_as_error` has no effect.
/// - **Repetition**: a request that is not idempotent is sent once, and if it fails the outcome
///   says `not_idempotent`. A request with any method is sent again if it was certainly not acted
///   on ([RFC 9110, section 9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2)), and no
///   redirect was followed before. An error of ureq does not say whether one was: say
///   [`follows_redirects(false)`](Self::follows_redirects) for a POST to be sent again after "no
///   connection".
/// - **A body that cannot be sent again**, such as a reader, is sent once, and the outcome says
///   `streaming_body`. See [`ReplayBody`].
/// - **An attempt** covers connecting, sending, redirects and receiving the response's head. The
///   caller reads the body, outside of the policy.
/// - **An attempt's time is ureq's `timeout_global`**, unless the agent's or the request's
///   [own](RetryingRequest::timeout) is shorter, so a blocking attempt ends in time without another
///   thread. ureq measures it from the start of the attempt, and applies it to reading the body as
///   well. While a timeout is set, ureq resolves names on a thread.
/// - **A request with its own configuration of ureq** keeps its `timeout_global`, because that
///   cannot be read. The time left becomes its `timeout_per_call`, which starts again at each
///   redirect.
/// - **A retry takes another connection** if the failure was about the connection. A bad response
///   that is retried is not read: its connection closes when the next attempt has ended.
#[derive(Clone)]
pub struct RetryingAgent<P> {
    agent: Agent,
    policies: PolicySelector<P>,
    rules: RequestRules,
    follows_redirects: bool,
}

impl<P> RetryingAgent<P> {
    /// Creates an agent over this one with this policy.
    #[must_use]
    pub fn new(agent: Agent, policy: P) -> Self {
        let follows_redirects = agent.config().max_redirects() > 0;
        Self { agent, policies: PolicySelector::new(policy), rules: RequestRules::new(), follows_redirects }
    }

    redress_http::policy_setters! { P:
        policy_provider
        /// The first host is the key of a request that is redirected.
        per_host
        per_key
    }

    redress_http::rules_setters! {
        guard
        /// Default: method and path.
        operation
        operation_for
        deadline
        /// A wait ends at once. A running attempt ends at its timeout, or at once with
        /// [`Agent::shutdown`], after which the agent sends nothing more.
        abort_on
        /// The context of a single request goes within it.
        context_for
        bypass_if
        attempt_headers
        /// Connecting and redirects are part of the attempt, and are not subtracted from the time
        /// that is sent.
        send_deadline
        send_deadline_as
        send_attempt
    }

    /// Sets whether ureq follows redirects. With `false`, each request has `max_redirects(0)`, and
    /// each error is known to be that of the request itself, so that a request that is not
    /// idempotent is sent again after "no connection". With `true`, the settings of ureq's agent
    /// and of the request apply. Default: whether `max_redirects` of ureq's agent is above 0.
    #[must_use]
    pub const fn follows_redirects(mut self, follows: bool) -> Self {
        self.follows_redirects = follows;
        self
    }

    /// Returns the policy of requests for which no other policy is chosen.
    pub const fn policy(&self) -> &P {
        self.policies.policy()
    }

    /// Returns ureq's agent.
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }

    fn with_rules(mut self, set: impl FnOnce(RequestRules) -> RequestRules) -> Self {
        self.rules = set(self.rules);
        self
    }

    fn with_policies(mut self, set: impl FnOnce(PolicySelector<P>) -> PolicySelector<P>) -> Self {
        self.policies = set(self.policies);
        self
    }

    pub(crate) const fn parts(&self) -> (&Agent, &PolicySelector<P>, &RequestRules, bool) {
        (&self.agent, &self.policies, &self.rules, self.follows_redirects)
    }
}

impl<C> RetryingAgent<Policy<C>> {
    /// Starts a request with this method. Send it with [`RetryingRequest::run`].
    pub fn request<U>(&self, method: Method, uri: U) -> RetryingRequest<'_, C>
    where
        Uri: TryFrom<U, Error: Into<http::Error>>,
    {
        RetryingRequest::new(self, Request::builder().method(method).uri(uri).body(()))
    }

    /// Starts a request that is an [`http::Request`], to give it its own settings.
    ///
    /// ```
    /// use http::Request;
    /// use redress::Policy;
    /// use redress::integration::ureq::RetryingAgent;
    ///
    /// # fn create<C>(agent: &RetryingAgent<Policy<C>>) -> Result<(), http::Error> {
    /// let request = Request::post("http://localhost/orders").body("an order")?;
    /// let request = agent.retrying(request).operation("create_order").retry_non_idempotent(true);
    /// # let _ = request;
    /// # Ok(())
    /// # }
    /// ```
    pub fn retrying<'r>(&'r self, request: Request<impl Into<ReplayBody<'r>>>) -> RetryingRequest<'r, C> {
        let (parts, body) = request.into_parts();
        RetryingRequest::new(self, Ok(Request::from_parts(parts, ()))).body(body)
    }
}

macro_rules! methods {
    ($($name:ident $method:ident $text:literal)*) => {$(
        impl<C> RetryingAgent<Policy<C>> {
            #[doc = $text]
            pub fn $name<U>(&self, uri: U) -> RetryingRequest<'_, C>
            where
                Uri: TryFrom<U, Error: Into<http::Error>>,
            {
                self.request(Method::$method, uri)
            }
        }
    )*};
}

methods! {
    get GET "A GET request. An invalid URI fails the request when it is sent."
    head HEAD "A HEAD request."
    delete DELETE "A DELETE request."
    put PUT "A PUT request."
    post POST "A POST request. Not idempotent: it is sent once, unless it carries an `Idempotency-Key` or you say otherwise."
    patch PATCH "A PATCH request. Not idempotent: it is sent once, unless it carries an `Idempotency-Key` or you say otherwise."
}

impl<C> RetryingAgent<Policy<C>>
where
    C: Classifier<Response<Body>, ureq::Error> + Clone,
{
    /// Sends a request. Short for [`retrying`](Self::retrying) and [`run`](RetryingRequest::run).
    ///
    /// ```no_run
    /// use http::Request;
    /// use redress::Policy;
    /// use redress::integration::ureq::{RetryingAgent, UreqClassifier};
    ///
    /// # fn put(agent: &RetryingAgent<Policy<UreqClassifier>>) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut response = agent.run(Request::put("http://localhost/orders/7").body("an order")?)?;
    /// println!("{}: {}", response.status(), response.body_mut().read_to_string()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`RetryingRequest::run`]: if there is no response.
    pub fn run<'r>(
        &'r self,
        request: Request<impl Into<ReplayBody<'r>>>,
    ) -> Result<Response<Body>, CallError<ureq::Error>> {
        self.retrying(request).run()
    }

    /// Like [`run`](Self::run), but returns the full outcome. Short for
    /// [`retrying`](Self::retrying) and [`execute`](RetryingRequest::execute).
    pub fn execute<'r>(&'r self, request: Request<impl Into<ReplayBody<'r>>>) -> RequestOutcome {
        self.retrying(request).execute()
    }
}

/// Sends one request through a policy, without a [`RetryingAgent`].
///
/// ```
/// use redress::{CallError, Policy};
/// use redress::integration::ureq::{UreqClassifier, request_with_retry};
/// use ureq::http::Request;
///
/// fn put(agent: &ureq::Agent, policy: &Policy<UreqClassifier>, order: &str) -> Result<bool, CallError<ureq::Error>> {
///     let request = Request::put("http://localhost/orders/7").body(order).expect("a valid URI");
///     Ok(request_with_retry(agent, policy, request)?.status().is_success())
/// }
/// ```
///
/// # Errors
///
/// As [`RetryingRequest::run`]: if there is no response.
///
/// # Panics
///
/// As [`RetryingRequest::run`].
pub fn request_with_retry<'b, C>(
    agent: &Agent,
    policy: &Policy<C>,
    request: Request<impl Into<ReplayBody<'b>>>,
) -> Result<Response<Body>, CallError<ureq::Error>>
where
    C: Classifier<Response<Body>, ureq::Error> + Clone,
{
    let (parts, body) = request.into_parts();
    let body: ReplayBody<'b> = body.into();
    RetryingAgent::new(agent.clone(), policy.clone()).run(Request::from_parts(parts, body))
}

impl<P: fmt::Debug> fmt::Debug for RetryingAgent<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryingAgent")
            .field("policies", &self.policies)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
