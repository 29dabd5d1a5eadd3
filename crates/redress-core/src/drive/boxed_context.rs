//! [`BoxedContext`]: the settings of a call that is polled manually, behind one pointer.

use std::borrow::Cow;
use std::fmt;

use crate::policy::context::CallContext;
use crate::policy::retry_notice::{RetryHook, RetryNotice};
use crate::policy::settings::CallSettings;

/// A [`CallContext`] without a policy behind one pointer, for integrations that keep it in their
/// future types. Most calls have no settings; `Option<BoxedContext>` is one word then, which
/// [`AsyncPolicy::into_poll_call`](crate::AsyncPolicy::into_poll_call) accepts.
///
/// ```
/// use redress::CallContext;
/// use redress::driver::BoxedContext;
///
/// let mut context = BoxedContext::<std::io::Error>::from(CallContext::new());
/// context.set_operation("read");
/// assert_eq!(context.settings().operation(), Some("read"));
/// ```
pub struct BoxedContext<'h, E>(Box<Parts<'h, E>>);

struct Parts<'h, E> {
    settings: CallSettings<'h>,
    on_retry: Box<dyn RetryHook<E> + Send + Sync + 'h>,
}

impl<'h, E> BoxedContext<'h, E> {
    pub(super) fn of<P, N: RetryHook<E> + Send + Sync + 'h>(context: CallContext<'h, P, N>) -> Self {
        Self(Box::new(Parts { settings: context.settings, on_retry: Box::new(context.on_retry) }))
    }

    /// The settings made so far.
    #[must_use]
    pub fn settings(&self) -> &CallSettings<'h> {
        &self.0.settings
    }

    /// Names the operation; see [`CallContext::operation`].
    pub fn set_operation(&mut self, name: impl Into<Cow<'h, str>>) {
        self.0.settings.change(|settings| settings.hooks.operation = Some(name.into()));
    }

    pub(super) fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        self.0.on_retry.on_retry(notice);
    }
}

impl<'h, E, N: RetryHook<E> + Send + Sync + 'h> From<CallContext<'h, (), N>> for BoxedContext<'h, E> {
    fn from(context: CallContext<'h, (), N>) -> Self {
        Self::of(context)
    }
}

impl<E> fmt::Debug for BoxedContext<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxedContext").field(&self.0.settings).finish()
    }
}
