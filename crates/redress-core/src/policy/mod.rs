//! Configuration: policies, their builders and specs, hooks, the compiled form, and the settings of
//! single calls.

pub(crate) mod config_error;
pub(crate) mod config_value;
pub(crate) mod retry_spec;
pub(crate) mod retry;
pub(crate) mod spec;
pub(crate) mod preset;
pub(crate) mod preset_builders;
pub(crate) mod sleep_decision;
pub(crate) mod abort_handle;
pub(crate) mod retry_notice;
pub(crate) mod hooks;
pub(crate) mod compiled;
pub(crate) mod policies;
pub(crate) mod keyed;
pub(crate) mod builder;
pub(crate) mod settings;
pub(crate) mod context;

pub use crate::deadline::{CallDeadline, Deadline};
pub use crate::nesting::Nested;

pub use self::abort_handle::AbortHandle;
pub use self::builder::{Async, Blocking, PolicyBuilder};
pub use self::context::CallContext;
pub use self::keyed::KeyedPolicies;
pub use self::policies::{AsyncPolicy, AsyncRetryPolicy, Policy, RetryPolicy};
pub use self::preset::Preset;
pub use self::retry::{IntoRetry, Retry, RetryBuilder};
pub use self::retry_notice::{NoRetryHook, OnRetry, RetryHook, RetryNotice};
pub use self::retry_spec::RetrySpec;
pub use self::settings::CallSettings;
pub use self::sleep_decision::{HookFuture, SleepDecision};
pub use self::spec::{PolicyBreaker, PolicySpec};
