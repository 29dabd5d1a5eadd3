//! The settings for all requests, which the asynchronous client, the blocking one and the
//! middleware share, and the setters of each.

use std::borrow::Cow;

use redress_core::CallContext;
use redress_core::driver::BoxedContext;
use redress_core::policy::RetryHook;
use redress_http::{Drain, Head, IdempotencyGuard, PolicySelector, RequestRules, default_operation};

/// The settings for all requests.
#[derive(Clone, Debug)]
pub(crate) struct Settings<P> {
    pub(crate) policies: PolicySelector<P>,
    pub(crate) rules: RequestRules,
    pub(crate) drain: Drain,
    pub(crate) follows_redirects: bool,
}

impl<P> Settings<P> {
    pub(crate) fn new(policy: P) -> Self {
        let policies = PolicySelector::new(policy);
        Self { policies, rules: RequestRules::new(), drain: Drain::default(), follows_redirects: true }
    }
}

/// The settings of one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own<'c> {
    pub(crate) name: Option<Cow<'c, str>>,
    pub(crate) guard: Option<IdempotencyGuard>,
    pub(crate) drain: Option<Drain>,
    pub(crate) bypass: Option<bool>,
}

impl<'c> Own<'c> {
    pub(crate) fn bypasses(&self, rules: &RequestRules, head: &Head<'_>) -> bool {
        self.bypass.unwrap_or_else(|| rules.bypasses(head))
    }

    /// The context of the request's call: its own within its client's, with the most specific name.
    pub(crate) fn context<N>(
        self,
        own: CallContext<'c, (), N>,
        rules: &RequestRules,
        head: &Head<'_>,
        policy_is_watched: bool,
    ) -> CallContext<'c, (), N> {
        let context = match rules.call_context(head) {
            Some(of_client) => own.within(of_client.settings()),
            None => own,
        };
        let set = context.settings();
        let is_named = set.operation().is_some() || !(policy_is_watched || set.is_watched());
        let by_default =
            || rules.operation_name(head).unwrap_or_else(|| default_operation(head.method, head.uri).into());
        match self.name.or_else(|| (!is_named).then(by_default)) {
            Some(name) => context.operation(name),
            None => context,
        }
    }
}

/// The settings of a call, or `None` if nothing is set: a box is an allocation.
pub(crate) fn boxed<'h, E, N>(context: CallContext<'h, (), N>) -> Option<BoxedContext<'h, E>>
where
    N: RetryHook<E> + Send + Sync + 'h,
{
    (!context.settings().are_empty()).then(|| context.into())
}

/// The setters of a type with a field `settings: Settings<P>`.
macro_rules! setters {
    ([$($parameter:ident),*] $type:ty, $policy:ty) => {
        impl<$($parameter),*> $type {
            /// Sets a function that chooses a policy for each request; `None` means the default
            /// policy. Return clones of one policy: the breaker of a policy that is built for each
            /// request never opens.
            #[must_use]
            pub fn policy_provider(
                mut self,
                choose: impl Fn(&redress_http::Head<'_>) -> Option<$policy> + Send + Sync + 'static,
            ) -> Self {
                self.settings.policies = self.settings.policies.policy_provider(choose);
                self
            }

            /// Sends each request through the policy of its host, which has a breaker for it. The
            /// key is a [`HostKey`](redress_http::HostKey): host and port. Replaces a
            /// [`policy_provider`](Self::policy_provider). The first host is the key of a request
            /// that is redirected.
            #[must_use]
            pub fn per_host(mut self, policies: &redress_core::policy::KeyedPolicies<$policy>) -> Self
            where
                $policy: Send + Sync + 'static,
            {
                self.settings.policies = self.settings.policies.per_host(policies);
                self
            }

            /// Sends each request through the policy of a key of its head, such as a tenant; `None`
            /// means the default policy. Replaces a [`policy_provider`](Self::policy_provider).
            #[must_use]
            pub fn per_key(
                mut self,
                policies: &redress_core::policy::KeyedPolicies<$policy>,
                key: impl for<'h> Fn(&redress_http::Head<'h>) -> Option<std::borrow::Cow<'h, str>> + Send + Sync + 'static,
            ) -> Self
            where
                $policy: Send + Sync + 'static,
            {
                self.settings.policies = self.settings.policies.per_key(policies, key);
                self
            }

            /// Sets which requests may be sent again. Default: those known to be idempotent.
            #[must_use]
            pub fn guard(self, guard: redress_http::IdempotencyGuard) -> Self {
                self.with_rules(|rules| rules.guard(guard))
            }

            /// Gives all requests this name in events and metrics. Default: method and path.
            #[must_use]
            pub fn operation(self, name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
                self.with_rules(|rules| rules.operation(name))
            }

            /// Names requests by their heads. Keep names low-cardinality: if paths contain
            /// identifiers, name the route.
            #[must_use]
            pub fn operation_for(
                self,
                name: impl Fn(&redress_http::Head<'_>) -> std::borrow::Cow<'static, str> + Send + Sync + 'static,
            ) -> Self {
                self.with_rules(|rules| rules.operation_for(name))
            }

            /// Gives every call this deadline in addition to the policy's. The earlier of the two
            /// ends the call.
            #[must_use]
            pub fn deadline(self, deadline: impl Into<redress_core::policy::Deadline>) -> Self {
                self.with_rules(|rules| rules.deadline(deadline))
            }

            /// Ends every call when this handle is aborted. Handles add up: several calls of this
            /// method and the policy's own handles all apply.
            #[must_use]
            pub fn abort_on(self, handle: &redress_core::AbortHandle) -> Self {
                self.with_rules(|rules| rules.abort_on(handle))
            }

            /// Sets the [`CallContext`](redress_core::CallContext) of each request's call, from the
            /// request's head. The context of a single request goes within it.
            #[must_use]
            pub fn context_for(
                self,
                context: impl Fn(&redress_http::Head<'_>) -> redress_core::CallContext<'static, ()> + Send + Sync + 'static,
            ) -> Self {
                self.with_rules(|rules| rules.context_for(context))
            }

            /// Lets requests for which `bypass` returns true bypass the policy: one attempt, no
            /// breaker, no events. Default: none.
            #[must_use]
            pub fn bypass_if(
                self,
                bypass: impl Fn(&redress_http::Head<'_>) -> bool + Send + Sync + 'static,
            ) -> Self {
                self.with_rules(|rules| rules.bypass_if(bypass))
            }

            /// Sets a function that changes the headers of each attempt, for example to add a trace
            /// context, the attempt's number or a short-lived signature. Changes to one attempt do
            /// not carry over to the next. A second call replaces the first. Default: headers stay
            /// the same.
            #[must_use]
            pub fn attempt_headers(
                self,
                change: impl Fn(&mut http::HeaderMap, redress_core::Attempt) + Send + Sync + 'static,
            ) -> Self {
                self.with_rules(|rules| rules.attempt_headers(change))
            }

            /// Says whether the client of reqwest follows redirects. Say `false` for a client with
            /// [`redirect::Policy::none`](reqwest::redirect::Policy::none): each of its errors is
            /// then known to be that of the request itself, so that a request that is not
            /// idempotent is sent again after "no connection". Default: `true`.
            #[must_use]
            pub const fn follows_redirects(mut self, follows: bool) -> Self {
                self.settings.follows_redirects = follows;
                self
            }

            /// Returns the policy of requests for which no other policy is chosen.
            pub const fn policy(&self) -> &$policy {
                self.settings.policies.policy()
            }

            fn with_rules(
                mut self,
                set: impl FnOnce(redress_http::RequestRules) -> redress_http::RequestRules,
            ) -> Self {
                self.settings.rules = set(self.settings.rules);
                self
            }
        }
    };
}

/// The setters of a request with the fields `request`, reqwest's builder, `rules` and `own`.
macro_rules! request_setters {
    ([$($parameter:tt)*] $type:ty, $life:lifetime, $builder:ty, $body:ty) => {
        impl<$($parameter)*> $type {
            /// Changes reqwest's builder, for the methods that are not here: `json`, `form`,
            /// `query` and `multipart` exist with features of reqwest.
            ///
            /// ```
            /// use redress::integration::reqwest::RetryingClient;
            /// use redress::runtime::tokio::AsyncPolicy;
            ///
            /// # fn create<C>(client: &RetryingClient<AsyncPolicy<C>>, order: &serde_json::Value) {
            /// let request = client.post("http://localhost/orders").with(|request| request.json(order));
            /// # let _ = request;
            /// # }
            /// ```
            pub fn with(mut self, change: impl FnOnce($builder) -> $builder) -> Self {
                self.request = change(self.request);
                self
            }

            /// Adds a header, as reqwest's builder does.
            pub fn header<K, V>(self, name: K, value: V) -> Self
            where
                http::HeaderName: TryFrom<K, Error: Into<http::Error>>,
                http::HeaderValue: TryFrom<V, Error: Into<http::Error>>,
            {
                self.with(|request| request.header(name, value))
            }

            /// Sets headers, as reqwest's builder does.
            pub fn headers(self, headers: http::HeaderMap) -> Self {
                self.with(|request| request.headers(headers))
            }

            /// Sets a bearer token.
            pub fn bearer_auth(self, token: impl std::fmt::Display) -> Self {
                self.with(|request| request.bearer_auth(token))
            }

            /// Sets user and password.
            pub fn basic_auth(
                self,
                user: impl std::fmt::Display,
                password: Option<impl std::fmt::Display>,
            ) -> Self {
                self.with(|request| request.basic_auth(user, password))
            }

            /// Sets the body. Bytes and text can be sent again, streams cannot.
            pub fn body(self, body: impl Into<$body>) -> Self {
                self.with(|request| request.body(body))
            }

            /// Names the operation in events and metrics. Default: the client's name for the
            /// request, or method and path.
            pub fn operation(mut self, name: impl Into<std::borrow::Cow<$life, str>>) -> Self {
                self.own.name = Some(name.into());
                self
            }

            /// Sets whether this request may be sent again even if it is not known to be
            /// idempotent. Default: the client's guard.
            pub fn retry_non_idempotent(mut self, retry: bool) -> Self {
                let guard = self.own.guard.unwrap_or_else(|| self.rules.idempotency());
                self.own.guard = Some(guard.retry_non_idempotent(retry));
                self
            }

            /// Sets whether this request bypasses the policy: one attempt, no breaker, no events.
            /// Default: the client's `bypass_if`.
            pub fn bypass(mut self, bypass: bool) -> Self {
                self.own.bypass = Some(bypass);
                self
            }
        }
    };
}

/// The methods of a client that start requests, as reqwest names them.
macro_rules! methods {
    ([$($parameter:ident),*] $type:ty => $request:ty) => {
        methods! { @each [$($parameter),*] $type => $request:
            get GET "A GET request. An invalid URL fails the request when it is sent."
            head HEAD "A HEAD request."
            delete DELETE "A DELETE request."
            put PUT "A PUT request."
            post POST "A POST request. Not idempotent: it is sent once, unless it carries an `Idempotency-Key` or you say otherwise."
            patch PATCH "A PATCH request. Not idempotent: it is sent once, unless it carries an `Idempotency-Key` or you say otherwise."
        }
    };
    (@each $parameters:tt $type:ty => $request:ty: $($name:ident $method:ident $text:literal)*) => {
        $(methods! { @one $parameters $type => $request: $name $method $text })*
    };
    (@one [$($parameter:ident),*] $type:ty => $request:ty: $name:ident $method:ident $text:literal) => {
        impl<$($parameter),*> $type {
            #[doc = $text]
            pub fn $name(&self, url: impl reqwest::IntoUrl) -> $request {
                self.request(reqwest::Method::$method, url)
            }
        }
    };
}
