//! What a client or a layer is told of the requests it sends, once for all of them.
//!
//! Owns the settings that every HTTP integration has, and how a call's settings are made of them.
//! Sends nothing, and knows no policy: which one a request goes through is `selector.rs`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use redress_core::policy::Deadline;
use redress_core::{AbortHandle, Attempt, CallContext};

use crate::head::Head;
use crate::idempotency::IdempotencyGuard;

/// An answer that is read off the head of a request.
pub(crate) type OfHead<A> = Arc<dyn Fn(&Head<'_>) -> A + Send + Sync>;

type OnHeaders = Arc<dyn Fn(&mut HeaderMap, Attempt) + Send + Sync>;

/// The settings that a client or a layer has for all its requests: the piece that HTTP integrations
/// hold and ask, so that they mean the same by the same names.
///
/// | setting | default |
/// |---|---|
/// | [`guard`](Self::guard) | what is known to be idempotent may be sent again |
/// | [`operation`](Self::operation), [`operation_for`](Self::operation_for) | the integration's own name for a request |
/// | [`deadline`](Self::deadline) | the policy's alone |
/// | [`abort_on`](Self::abort_on) | no handle but the policy's |
/// | [`context_for`](Self::context_for) | nothing more is set for a call |
/// | [`bypass_if`](Self::bypass_if) | no request bypasses the policy |
/// | [`attempt_headers`](Self::attempt_headers) | headers are the same in each attempt |
///
/// Clones share what they were told.
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
/// // What an integration asks before it makes the call.
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
    /// What every call is given.
    for_all: Option<Arc<CallContext<'static, ()>>>,
    context: Option<OfHead<CallContext<'static, ()>>>,
    bypass_if: Option<OfHead<bool>>,
    headers: Option<OnHeaders>,
}

/// What is set.
impl RequestRules {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        let guard = IdempotencyGuard::new();
        Self { guard, operation: None, for_all: None, context: None, bypass_if: None, headers: None }
    }

    /// Sets which requests may be sent again. Default: those known to be idempotent.
    #[must_use]
    pub const fn guard(mut self, guard: IdempotencyGuard) -> Self {
        self.guard = guard;
        self
    }

    /// Gives every request this name in events and metrics. Takes the place of
    /// [`operation_for`](Self::operation_for).
    #[must_use]
    pub fn operation(self, name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        self.operation_for(move |_| name.clone())
    }

    /// Names requests by their heads. Keep names low-cardinality: where paths hold identifiers,
    /// name the route. Takes the place of [`operation`](Self::operation).
    #[must_use]
    pub fn operation_for(mut self, name: impl Fn(&Head<'_>) -> Cow<'static, str> + Send + Sync + 'static) -> Self {
        self.operation = Some(Arc::new(name));
        self
    }

    /// Gives every call this deadline, beside the policy's: whichever is earlier ends the call.
    #[must_use]
    pub fn deadline(self, deadline: impl Into<Deadline>) -> Self {
        self.set_for_all(|context| context.deadline(deadline))
    }

    /// Ends every call when this handle is aborted, see [`AbortHandle`]. Several may be added, and
    /// the policy's own hold too.
    #[must_use]
    pub fn abort_on(self, handle: &AbortHandle) -> Self {
        self.set_for_all(|context| context.abort_on(handle))
    }

    /// Sets what the call of each request sets for itself, from the request's head and extensions:
    /// all that a [`CallContext`] can. [`deadline`](Self::deadline) and
    /// [`abort_on`](Self::abort_on) hold beside it.
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

    /// Sets what changes the headers of each attempt: a trace context, the attempt's number, a
    /// signature that holds for a moment. What it adds to one attempt is not in the next. The
    /// second call replaces the first. Default: nothing does.
    #[must_use]
    pub fn attempt_headers(mut self, change: impl Fn(&mut HeaderMap, Attempt) + Send + Sync + 'static) -> Self {
        self.headers = Some(Arc::new(change));
        self
    }

    fn set_for_all(mut self, set: impl FnOnce(CallContext<'static, ()>) -> CallContext<'static, ()>) -> Self {
        let context = self.for_all.take().map_or_else(CallContext::new, Arc::unwrap_or_clone);
        self.for_all = Some(Arc::new(set(context)));
        self
    }
}

/// What an integration asks.
impl RequestRules {
    /// Which requests may be sent again.
    #[must_use]
    pub const fn idempotency(&self) -> IdempotencyGuard {
        self.guard
    }

    /// The name of this request, if one was set; else the integration's own, such as
    /// [`default_operation`](crate::default_operation). Making a name costs an allocation: ask only
    /// if an observer hears it.
    #[must_use]
    pub fn operation_name(&self, head: &Head<'_>) -> Option<Cow<'static, str>> {
        self.operation.as_ref().map(|name| name(head))
    }

    /// What the call of this request is given, if anything is set:
    /// [`context_for`](Self::context_for) within what holds for all.
    #[must_use]
    pub fn call_context(&self, head: &Head<'_>) -> Option<CallContext<'static, ()>> {
        let own = self.context.as_ref().map(|context| context(head));
        match (own, &self.for_all) {
            (Some(own), Some(all)) => Some(own.within(all.settings())),
            (own, all) => own.or_else(|| all.as_deref().cloned()),
        }
    }

    /// Whether this request bypasses the policy.
    #[must_use]
    pub fn bypasses(&self, head: &Head<'_>) -> bool {
        self.bypass_if.as_ref().is_some_and(|bypass| bypass(head))
    }

    /// Changes the headers of this attempt, if anything is set to. An integration calls it at the
    /// start of each attempt, on a copy of the request's headers, within the scopes of the policy's
    /// observers.
    pub fn prepare(&self, headers: &mut HeaderMap, attempt: Attempt) {
        if let Some(change) = &self.headers {
            change(headers, attempt);
        }
    }
}

impl fmt::Debug for RequestRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestRules")
            .field("guard", &self.guard)
            .field("for_all", &self.for_all)
            .finish_non_exhaustive()
    }
}
