//! An error as the tables describe one: the name of its type, and the errors and values it carries.
//!
//! The classifiers read the name from its `Debug` output and the rest from its source chain.

use std::error::Error;
use std::fmt;

/// An error whose type has this name in the original.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) source: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operation failed")
    }
}

impl Error for Named {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
