//! [`LabelValue`], the value of a label.

use std::sync::Arc;

/// The value of a label: a word of redress, or a name that the program supplied. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LabelValue {
    /// One of a closed set.
    Fixed(&'static str),
    /// Supplied by the program.
    Named(Arc<str>),
}

impl LabelValue {
    /// The value of a label that does not apply.
    pub const NONE: Self = Self::Fixed("none");
    /// The value that all names over a limit share.
    pub const OTHER: Self = Self::Fixed("other");

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Named(name) => name,
        }
    }
}

impl From<&'static str> for LabelValue {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text)
    }
}

impl From<Arc<str>> for LabelValue {
    fn from(name: Arc<str>) -> Self {
        Self::Named(name)
    }
}
