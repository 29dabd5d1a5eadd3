//! Error classes as the files spell them. An unknown name is an error of the file.

use redress_core::ErrorClass;
use serde::Deserialize;

/// The class of a name in a file.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub(crate) struct ClassName(pub(crate) ErrorClass);

impl TryFrom<String> for ClassName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        ErrorClass::from_name(&name).map(Self).ok_or_else(|| format!("`{name}` is not an error class"))
    }
}
