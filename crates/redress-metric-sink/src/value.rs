//! [`LabelValue`], the value of a label.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The value of a label: a word of redress, or a name that the program supplied. Cheap to clone.
///
/// Two values are equal if their texts are, so that an operation which the program calls `none`
/// has no second series with the same labels as the unnamed one.
#[derive(Clone, Debug)]
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

impl PartialEq for LabelValue {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for LabelValue {}

impl Hash for LabelValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
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
