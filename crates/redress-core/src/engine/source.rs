//! Where a call finds the plan and the settings it runs by.
//!
//! Owns the two ways of holding them: borrowed from a policy and a context, as plain calls do, or shared, for calls that outlive
//! the place they were started from. Both decide alike: the engine is written once, over either.

use std::sync::Arc;

use crate::call::CallSettings;
use crate::plan::Plan;

pub(crate) trait Source {
    fn plan(&self) -> &Plan;
    fn call(&self) -> Option<&CallSettings<'_>>;
}

/// Those of a policy and a context that outlive the call.
#[derive(Clone, Copy)]
pub(crate) struct Borrowed<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) call: Option<&'a CallSettings<'a>>,
}

impl Source for Borrowed<'_> {
    #[inline]
    fn plan(&self) -> &Plan {
        self.plan
    }

    #[inline]
    fn call(&self) -> Option<&CallSettings<'_>> {
        self.call
    }
}

/// Those of a call that stands by itself.
pub(crate) struct Shared {
    pub(crate) plan: Arc<Plan>,
    pub(crate) call: CallSettings<'static>,
}

impl Source for Shared {
    #[inline]
    fn plan(&self) -> &Plan {
        &self.plan
    }

    #[inline]
    fn call(&self) -> Option<&CallSettings<'_>> {
        Some(&self.call)
    }
}
