//! The setters of clients and layers that pass on to their [`RequestRules`](crate::RequestRules)
//! and their [`PolicySelector`](crate::PolicySelector), with their documentation.

pub use std::borrow::Cow;

pub use http::HeaderMap;
pub use redress_core::policy::{CallDeadline, KeyedPolicies};
pub use redress_core::{AbortHandle, Attempt, CallContext};

/// Writes the named setters of [`RequestRules`](crate::RequestRules) into the `impl` block of an
/// integration's type. Doc comments before a name continue the documentation of the setter.
///
/// The type has a method `with_rules(self, set: impl FnOnce(R) -> R) -> Self`. `R` is
/// `RequestRules`, or a type that has the same setters.
///
/// ```
/// use redress::integration::http::{Head, RequestRules, rules_setters};
///
/// pub struct Client {
///     rules: RequestRules,
/// }
///
/// impl Client {
///     rules_setters! {
///         /// Default: the path.
///         operation
///         deadline
///     }
///
///     fn with_rules(mut self, set: impl FnOnce(RequestRules) -> RequestRules) -> Self {
///         self.rules = set(self.rules);
///         self
///     }
/// }
///
/// let client = Client { rules: RequestRules::new() }.operation("orders");
/// let request = http::Request::new(());
/// assert_eq!(client.rules.operation_name(&Head::from_request(&request)).as_deref(), Some("orders"));
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! rules_setters {
    (@guard $(#[$more:meta])*) => {
        /// Sets which requests may be sent again. Default: those known to be idempotent.
        $(#[$more])*
        #[must_use]
        pub fn guard(self, guard: $crate::IdempotencyGuard) -> Self {
            self.with_rules(|rules| rules.guard(guard))
        }
    };
    (@operation $(#[$more:meta])*) => {
        /// Gives all requests this name in events and metrics.
        $(#[$more])*
        #[must_use]
        pub fn operation(self, name: impl Into<$crate::setters::Cow<'static, str>>) -> Self {
            self.with_rules(|rules| rules.operation(name))
        }
    };
    (@operation_for $(#[$more:meta])*) => {
        /// Names requests by their heads. Keep names low-cardinality: if paths contain identifiers,
        /// name the route.
        $(#[$more])*
        #[must_use]
        pub fn operation_for(
            self,
            name: impl Fn(&$crate::Head<'_>) -> $crate::setters::Cow<'static, str> + Send + Sync + 'static,
        ) -> Self {
            self.with_rules(|rules| rules.operation_for(name))
        }
    };
    (@deadline $(#[$more:meta])*) => {
        /// Gives every call this deadline in addition to the policy's. The earlier of the two ends
        /// the call.
        $(#[$more])*
        #[must_use]
        pub fn deadline(self, deadline: impl Into<$crate::setters::CallDeadline>) -> Self {
            self.with_rules(|rules| rules.deadline(deadline))
        }
    };
    (@abort_on $(#[$more:meta])*) => {
        /// Ends every call when this handle is aborted. Handles add up: several calls of this
        /// method and the policy's own handles all apply.
        $(#[$more])*
        #[must_use]
        pub fn abort_on(self, handle: &$crate::setters::AbortHandle) -> Self {
            self.with_rules(|rules| rules.abort_on(handle))
        }
    };
    (@context_for $(#[$more:meta])*) => {
        /// Sets the [`CallContext`](redress_core::CallContext) of each request's call, from the
        /// request's head and extensions.
        $(#[$more])*
        #[must_use]
        pub fn context_for(
            self,
            context: impl Fn(&$crate::Head<'_>) -> $crate::setters::CallContext<'static, ()> + Send + Sync + 'static,
        ) -> Self {
            self.with_rules(|rules| rules.context_for(context))
        }
    };
    (@bypass_if $(#[$more:meta])*) => {
        /// Lets requests for which `bypass` returns true bypass the policy: one attempt, no
        /// breaker, no events. Default: none.
        $(#[$more])*
        #[must_use]
        pub fn bypass_if(self, bypass: impl Fn(&$crate::Head<'_>) -> bool + Send + Sync + 'static) -> Self {
            self.with_rules(|rules| rules.bypass_if(bypass))
        }
    };
    (@attempt_headers $(#[$more:meta])*) => {
        /// Sets a function that changes the headers of each attempt, for example to add a trace
        /// context, the attempt's number or a short-lived signature. Changes to one attempt do not
        /// carry over to the next. The function runs at the start of the attempt, within the scopes
        /// of the policy's observers, so the attempt's span is current. A second call replaces the
        /// first. Default: headers stay the same.
        $(#[$more])*
        #[must_use]
        pub fn attempt_headers(
            self,
            change: impl Fn(&mut $crate::setters::HeaderMap, $crate::setters::Attempt) + Send + Sync + 'static,
        ) -> Self {
            self.with_rules(|rules| rules.attempt_headers(change))
        }
    };
    (@send_deadline $(#[$more:meta])*) => {
        /// Sends the time left with each attempt, in `x-envoy-expected-rq-timeout-ms` unless
        /// [`send_deadline_as`](Self::send_deadline_as) names another header. Default: false.
        ///
        /// The time is the [limit of the attempt](redress_core::Attempt::time_left): the shorter of
        /// the attempt timeout and the time left until the deadline. It is written for each
        /// attempt, rounded down. An attempt without a limit sends nothing. A shorter time that the
        /// request already carries stays.
        $(#[$more])*
        #[must_use]
        pub fn send_deadline(self, sends: bool) -> Self {
            self.with_rules(|rules| rules.send_deadline(sends))
        }
    };
    (@send_deadline_as $(#[$more:meta])*) => {
        /// Sends the time left as [`send_deadline`](Self::send_deadline) does, in this header.
        $(#[$more])*
        #[must_use]
        pub fn send_deadline_as(self, header: $crate::DeadlineHeader) -> Self {
            self.with_rules(|rules| rules.send_deadline_as(header))
        }
    };
    (@send_attempt $(#[$more:meta])*) => {
        /// Sends the number of each attempt, from 1, in `x-envoy-attempt-count`. Replaces a number
        /// that the request already carries. Default: false.
        $(#[$more])*
        #[must_use]
        pub fn send_attempt(self, sends: bool) -> Self {
            self.with_rules(|rules| rules.send_attempt(sends))
        }
    };
    ($($(#[$more:meta])* $setter:ident)*) => {
        $($crate::rules_setters! { @$setter $(#[$more])* })*
    };
}

/// Writes the named setters of [`PolicySelector`](crate::PolicySelector) into the `impl` block of
/// an integration's type, for policies of the type before the colon. Doc comments before a name
/// continue the documentation of the setter.
///
/// The type has a field `policies` of the type `PolicySelector`, or another place that
/// `with_policies(self, set: impl FnOnce(PolicySelector<P>) -> PolicySelector<P>) -> Self` changes.
///
/// ```
/// use redress::Policy;
/// use redress::integration::http::{PolicySelector, policy_setters};
///
/// pub struct Client {
///     policies: PolicySelector<Policy>,
/// }
///
/// impl Client {
///     policy_setters! { Policy: policy_provider per_host }
///
///     fn with_policies(self, set: impl FnOnce(PolicySelector<Policy>) -> PolicySelector<Policy>) -> Self {
///         Self { policies: set(self.policies) }
///     }
/// }
///
/// let client = Client { policies: PolicySelector::new(Policy::default()) }.policy_provider(|_| None);
/// # drop(client.per_host(&Policy::default().keyed(redress::CircuitBreaker::builder())?).policies);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! policy_setters {
    (@policy_provider $policy:ty, $(#[$more:meta])*) => {
        /// Sets a function that chooses a policy for each request; `None` means the default policy.
        /// Return clones of one policy: the breaker of a policy that is built for each request
        /// never opens.
        $(#[$more])*
        #[must_use]
        pub fn policy_provider(
            self,
            choose: impl Fn(&$crate::Head<'_>) -> Option<$policy> + Send + Sync + 'static,
        ) -> Self {
            self.with_policies(|policies| policies.policy_provider(choose))
        }
    };
    (@per_host $policy:ty, $(#[$more:meta])*) => {
        /// Sends each request through the policy of its host, which has a breaker for it. The key
        /// is a [`HostKey`](redress_http::HostKey): host and port. Replaces a
        /// [`policy_provider`](Self::policy_provider).
        $(#[$more])*
        #[must_use]
        pub fn per_host(self, policies: &$crate::setters::KeyedPolicies<$policy>) -> Self
        where
            $policy: Send + Sync + 'static,
        {
            self.with_policies(|selector| selector.per_host(policies))
        }
    };
    (@per_key $policy:ty, $(#[$more:meta])*) => {
        /// Sends each request through the policy of a key of its head, such as a tenant; `None`
        /// means the default policy. The keys become names in events and metrics, so they must not
        /// be secret. Replaces a [`policy_provider`](Self::policy_provider).
        $(#[$more])*
        #[must_use]
        pub fn per_key(
            self,
            policies: &$crate::setters::KeyedPolicies<$policy>,
            key: impl for<'h> Fn(&$crate::Head<'h>) -> Option<$crate::setters::Cow<'h, str>> + Send + Sync + 'static,
        ) -> Self
        where
            $policy: Send + Sync + 'static,
        {
            self.with_policies(|selector| selector.per_key(policies, key))
        }
    };
    ($policy:ty: $($(#[$more:meta])* $setter:ident)*) => {
        $($crate::policy_setters! { @$setter $policy, $(#[$more])* })*
    };
}
