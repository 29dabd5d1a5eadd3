//! The settings that every HTTP integration has for all its requests, and the settings of one call
//! derived from them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use redress_core::policy::CallDeadline;
use redress_core::{AbortHandle, Attempt, CallContext};

use crate::attempt_number::AttemptNumber;
use crate::deadline_header::DeadlineHeader;
use crate::head::Head;
use crate::idempotency::IdempotencyGuard;
use crate::operation::default_operation;

/// A function of a request's head.
pub(crate) type OfHead<A> = Arc<dyn Fn(&Head<'_>) -> A + Send + Sync>;

type OnHeaders = Arc<dyn Fn(&mut HeaderMap, Attempt) + Send + Sync>;

/// The settings that a client or a layer has for all its requests. HTTP integrations share this
/// type, so that the same setting means the same in each of them.
///
/// | setting | default |
/// |---|---|
/// | [`guard`](Self::guard) | requests that are known to be idempotent may be sent again |
/// | [`operation`](Self::operation), [`operation_for`](Self::operation_for) | the integration's own name for a request |
/// | [`deadline`](Self::deadline) | the policy's alone |
/// | [`abort_on`](Self::abort_on) | only the policy's handles |
/// | [`context_for`](Self::context_for) | nothing more is set for a call |
/// | [`bypass_if`](Self::bypass_if) | no request bypasses the policy |
/// | [`attempt_headers`](Self::attempt_headers) | headers are the same in each attempt |
/// | [`send_deadline`](Self::send_deadline), [`send_deadline_as`](Self::send_deadline_as) | the time left is not sent |
/// | [`send_attempt`](Self::send_attempt) | the attempt's number is not sent |
///
/// Clones share their settings.
///
/// ```
/// use std::time::Duration;
/// use http::Request;
/// use redress::integration::http::{Head, RequestRules};
///
/// let rules = RequestRules::new()
///     .operation_for(|head| format!("{} /orders/{{id}}", head.method).into())
///     .deadline(Duration::from_secs(2))
///     .bypass_if(|head| head.uri.path() == "/health");
///
/// // Called by an integration before it makes the call.
/// let request = Request::get("http://localhost/orders/7").body(()).unwrap();
/// let head = Head::from_request(&request);
/// assert!(!rules.bypasses(&head));
/// assert_eq!(rules.operation_name(&head).as_deref(), Some("GET /orders/{id}"));
/// assert!(rules.call_context(&head).unwrap().settings().deadline().is_some());
/// ```
#[derive(Clone, Default)]
pub struct RequestRules {
    guard: IdempotencyGuard,
    operation: Option<OfHead<Cow<'static, str>>>,
    /// Settings that apply to every call.
    for_all: Option<Arc<CallContext<'static, ()>>>,
    context: Option<OfHead<CallContext<'static, ()>>>,
    bypass_if: Option<OfHead<bool>>,
    headers: Option<OnHeaders>,
    deadline_header: Option<DeadlineHeader>,
    sends_attempt: bool,
}

/// Setters.
impl RequestRules {
    /// Creates rules with the default settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            guard: IdempotencyGuard::new(),
            operation: None,
            for_all: None,
            context: None,
            bypass_if: None,
            headers: None,
            deadline_header: None,
            sends_attempt: false,
        }
    }

    /// Sets which requests may be sent again. Default: those known to be idempotent.
    #[must_use]
    pub const fn guard(mut self, guard: IdempotencyGuard) -> Self {
        self.guard = guard;
        self
    }

    /// Gives every request this name in events and metrics. Replaces
    /// [`operation_for`](Self::operation_for).
    #[must_use]
    pub fn operation(self, name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        self.operation_for(move |_| name.clone())
    }

    /// Names requests by their heads. Keep names low-cardinality: if paths contain identifiers,
    /// name the route. Replaces [`operation`](Self::operation).
    #[must_use]
    pub fn operation_for(mut self, name: impl Fn(&Head<'_>) -> Cow<'static, str> + Send + Sync + 'static) -> Self {
        self.operation = Some(Arc::new(name));
        self
    }

    /// Gives every call this deadline in addition to the policy's. The earlier of the two ends the
    /// call.
    #[must_use]
    pub fn deadline(self, deadline: impl Into<CallDeadline>) -> Self {
        self.set_for_all(|context| context.deadline(deadline))
    }

    /// Ends every call when this handle is aborted, see [`AbortHandle`]. Handles add up: several
    /// calls of this method and the policy's own handles all apply.
    #[must_use]
    pub fn abort_on(self, handle: &AbortHandle) -> Self {
        self.set_for_all(|context| context.abort_on(handle))
    }

    /// Sets the [`CallContext`] of each request's call, from the request's head and extensions.
    /// [`deadline`](Self::deadline) and [`abort_on`](Self::abort_on) apply as well.
    #[must_use]
    pub fn context_for(
        mut self,
        context: impl Fn(&Head<'_>) -> CallContext<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        self.context = Some(Arc::new(context));
        self
    }

    /// Lets requests for which `bypass` returns true bypass the policy: one attempt, no breaker, no
    /// events. Default: none.
    #[must_use]
    pub fn bypass_if(mut self, bypass: impl Fn(&Head<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.bypass_if = Some(Arc::new(bypass));
        self
    }

    /// Sets a function that changes the headers of each attempt, for example to add a trace
    /// context, the attempt's number or a short-lived signature. Changes to one attempt do not
    /// carry over to the next. A second call replaces the first. Default: headers stay the same.
    #[must_use]
    pub fn attempt_headers(mut self, change: impl Fn(&mut HeaderMap, Attempt) + Send + Sync + 'static) -> Self {
        self.headers = Some(Arc::new(change));
        self
    }

    /// Sends the time left with each attempt, in `x-envoy-expected-rq-timeout-ms` unless
    /// [`send_deadline_as`](Self::send_deadline_as) names another header. Default: false.
    ///
    /// The time is the limit of the attempt, [`Attempt::time_left`]: the shorter of the attempt
    /// timeout and the time left until the deadline, because the attempt's answer is of no use
    /// after it. It is written for each attempt, rounded down. An attempt without a limit sends
    /// nothing. A shorter time that the request already carries stays, so a request can ask for
    /// less.
    #[must_use]
    pub fn send_deadline(mut self, sends: bool) -> Self {
        self.deadline_header = sends.then(|| self.deadline_header.unwrap_or_default());
        self
    }

    /// Sends the time left as [`send_deadline`](Self::send_deadline) does, in this header.
    #[must_use]
    pub fn send_deadline_as(mut self, header: DeadlineHeader) -> Self {
        self.deadline_header = Some(header);
        self
    }

    /// Sends the number of each attempt, from 1, in `x-envoy-attempt-count`. Replaces a number that
    /// the request already carries, which is that of another call. Default: false.
    #[must_use]
    pub const fn send_attempt(mut self, sends: bool) -> Self {
        self.sends_attempt = sends;
        self
    }

    fn set_for_all(mut self, set: impl FnOnce(CallContext<'static, ()>) -> CallContext<'static, ()>) -> Self {
        let context = self.for_all.take().map_or_else(CallContext::new, Arc::unwrap_or_clone);
        self.for_all = Some(Arc::new(set(context)));
        self
    }
}

/// Queries for integrations.
impl RequestRules {
    /// Returns the guard, which decides which requests may be sent again.
    #[must_use]
    pub const fn idempotency(&self) -> IdempotencyGuard {
        self.guard
    }

    /// Whether a function reads the heads of requests: [`operation_for`](Self::operation_for),
    /// [`context_for`](Self::context_for) or [`bypass_if`](Self::bypass_if). If not, an integration
    /// that would have to make a head can pass any.
    #[must_use]
    pub const fn reads_heads(&self) -> bool {
        self.operation.is_some() || self.context.is_some() || self.bypass_if.is_some()
    }

    /// Returns the name of this request, if one was set. Otherwise integrations use their own, such
    /// as [`default_operation`](crate::default_operation). A name costs an allocation, so call this
    /// only if the call has observers.
    #[must_use]
    pub fn operation_name(&self, head: &Head<'_>) -> Option<Cow<'static, str>> {
        self.operation.as_ref().map(|name| name(head))
    }

    /// Returns the context of this request's call, if anything is set:
    /// [`context_for`](Self::context_for) within the settings for all calls.
    #[must_use]
    pub fn call_context(&self, head: &Head<'_>) -> Option<CallContext<'static, ()>> {
        let own = self.context.as_ref().map(|context| context(head));
        match (own, &self.for_all) {
            (Some(own), Some(all)) => Some(own.within(all.settings())),
            (own, all) => own.or_else(|| all.as_deref().cloned()),
        }
    }

    /// Returns the context of a request that has a context of its own: `own` within the settings of
    /// [`call_context`](Self::call_context), with the most specific name. That is `name`, the
    /// request's own; then a name in the contexts; then [`operation_name`](Self::operation_name);
    /// then [`default_operation`](crate::default_operation). The last two are made only if the call
    /// has observers: its own, or the policy's if `policy_is_watched`.
    pub fn context_within<'c, N>(
        &self,
        own: CallContext<'c, (), N>,
        name: Option<Cow<'c, str>>,
        head: &Head<'_>,
        policy_is_watched: bool,
    ) -> CallContext<'c, (), N> {
        let context = match self.call_context(head) {
            Some(of_all) => own.within(of_all.settings()),
            None => own,
        };
        let set = context.settings();
        let is_named = set.operation().is_some() || !(policy_is_watched || set.is_watched());
        let by_default =
            || self.operation_name(head).unwrap_or_else(|| default_operation(head.method, head.uri).into());
        match name.or_else(|| (!is_named).then(by_default)) {
            Some(name) => context.operation(name),
            None => context,
        }
    }

    /// Returns whether this request bypasses the policy.
    #[must_use]
    pub fn bypasses(&self, head: &Head<'_>) -> bool {
        self.bypass_if.as_ref().is_some_and(|bypass| bypass(head))
    }

    /// Applies [`attempt_headers`](Self::attempt_headers) to the headers of this attempt, then
    /// [`send_deadline`](Self::send_deadline) and [`send_attempt`](Self::send_attempt).
    /// Integrations call it at the start of each attempt, on the attempt's own headers, within the
    /// scopes of the policy's observers. If the attempt has waited since it started, they pass an
    /// attempt with the time that is left now.
    pub fn prepare(&self, headers: &mut HeaderMap, attempt: Attempt) {
        if let Some(change) = &self.headers {
            change(headers, attempt);
        }
        if let (Some(header), Some(left)) = (&self.deadline_header, attempt.time_left()) {
            header.write(headers, left);
        }
        if self.sends_attempt {
            AttemptNumber::from(attempt).write(headers);
        }
    }
}

impl fmt::Debug for RequestRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestRules")
            .field("guard", &self.guard)
            .field("for_all", &self.for_all)
            .field("deadline_header", &self.deadline_header)
            .field("sends_attempt", &self.sends_attempt)
            .finish_non_exhaustive()
    }
}
