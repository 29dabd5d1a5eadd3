//! [`BoxError`], a boxed error that implements [`Error`], which `Box<dyn Error>` does not.

use std::error::Error;
use std::fmt;

/// A boxed error that implements [`Error`] by forwarding to the error inside. Created by
/// [`CallError::boxed`](crate::CallError::boxed).
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct BoxError(Box<dyn Error + Send + Sync>);

impl BoxError {
    pub(crate) fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }

    /// The error inside.
    #[must_use]
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }

    /// The error inside, by reference.
    #[must_use]
    pub fn as_inner(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.0.as_ref()
    }
}

impl fmt::Debug for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
