//! The settings for all requests, which the asynchronous client, the blocking one and the
//! middleware share, and the setters of each.

use std::borrow::Cow;

use redress_core::CallContext;
use redress_core::driver::BoxedContext;
use redress_core::policy::RetryHook;
use redress_http::{Drain, Head, IdempotencyGuard, PolicySelector, RequestRules};

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
            redress_http::policy_setters! { $policy:
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
                abort_on
                /// The context of a single request goes within it.
                context_for
                bypass_if
                attempt_headers
                /// Connecting and redirects are part of the attempt, and are not subtracted from
                /// the time that is sent.
                send_deadline
                send_deadline_as
                send_attempt
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

            fn with_policies(
                mut self,
                set: impl FnOnce(redress_http::PolicySelector<$policy>) -> redress_http::PolicySelector<$policy>,
            ) -> Self {
                self.settings.policies = set(self.settings.policies);
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
