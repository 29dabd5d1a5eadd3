//! [`Live`], a policy that follows its file.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use redress_core::ConfigError;

use crate::parts::PolicyParts;

/// A policy, or what was built with one, that a reload replaces. Returned by
/// [`Policies::get`](crate::Policies::get).
///
/// A clone follows the same file. [`load`](Self::load) takes no lock and touches no line that
/// threads share, so load it for each call.
pub struct Live<P> {
    slot: Arc<SlotOf<P>>,
}

impl<P> Live<P> {
    pub(crate) const fn new(slot: Arc<SlotOf<P>>) -> Self {
        Self { slot }
    }

    /// The policy as it is now. A call on it ends on the same policy, also if
    /// the file is reloaded meanwhile.
    #[must_use]
    pub fn load(&self) -> Loaded<P> {
        Loaded(self.slot.current.load())
    }

    /// The policy as it is now, to be kept for longer than a call.
    #[must_use]
    pub fn load_full(&self) -> Arc<P> {
        self.slot.current.load_full()
    }

    /// The name of the policy in the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.slot.name
    }
}

impl<P> Clone for Live<P> {
    fn clone(&self) -> Self {
        Self { slot: Arc::clone(&self.slot) }
    }
}

impl<P: fmt::Debug> fmt::Debug for Live<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("name", &self.name()).field("policy", &*self.load()).finish_non_exhaustive()
    }
}

/// A policy as it was when it was loaded.
pub struct Loaded<P>(Guard<Arc<P>>);

impl<P> Deref for Loaded<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0
    }
}

impl<P: fmt::Debug> fmt::Debug for Loaded<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Puts what was built in place.
pub(crate) type Commit = Box<dyn FnOnce() + Send>;

/// A live policy of any type.
pub(crate) trait Slot: Send + Sync {
    fn name(&self) -> &str;
    /// Builds the policy again. Nothing changes until the result is called.
    fn prepare(self: Arc<Self>, parts: &PolicyParts) -> Result<Commit, ConfigError>;
}

type Make<P> = Box<dyn Fn(&PolicyParts) -> Result<P, ConfigError> + Send + Sync>;

pub(crate) struct SlotOf<P> {
    name: String,
    current: ArcSwap<P>,
    make: Make<P>,
}

impl<P> SlotOf<P> {
    pub(crate) fn new(
        name: String,
        first: P,
        make: impl Fn(&PolicyParts) -> Result<P, ConfigError> + Send + Sync + 'static,
    ) -> Self {
        Self { name, current: ArcSwap::from_pointee(first), make: Box::new(make) }
    }
}

impl<P: Send + Sync + 'static> Slot for SlotOf<P> {
    fn name(&self) -> &str {
        &self.name
    }

    fn prepare(self: Arc<Self>, parts: &PolicyParts) -> Result<Commit, ConfigError> {
        let next = Arc::new((self.make)(parts)?);
        Ok(Box::new(move || self.current.store(next)))
    }
}
