//! The closed sets of redress as the words that the events use.

use redress_core::observe::CallOutcome;
use redress_core::{Cause, ErrorClass, StopReason};
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

/// A value of a closed set.
pub(crate) trait Word: Copy + 'static {
    /// What the set is called in errors.
    const SET: &'static str;

    fn word(self) -> &'static str;
    fn all() -> &'static [Self];
}

macro_rules! words {
    ($($of:ty, $set:literal;)+) => {$(
        impl Word for $of {
            const SET: &'static str = $set;

            fn word(self) -> &'static str {
                self.as_str()
            }

            fn all() -> &'static [Self] {
                Self::ALL
            }
        }
    )+};
}

words! {
    ErrorClass, "an error class";
    StopReason, "a stop reason";
    Cause, "a cause";
    CallOutcome, "an outcome";
}

fn read<W: Word>(word: &str) -> Option<W> {
    W::all().iter().copied().find(|value| value.word() == word)
}

pub(crate) fn serialize<W: Word, S: Serializer>(value: &W, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.word())
}

pub(crate) fn deserialize<'de, W: Word, D: Deserializer<'de>>(deserializer: D) -> Result<W, D::Error> {
    let word = String::deserialize(deserializer)?;
    read(&word).ok_or_else(|| D::Error::custom(format_args!("`{word}` is not {}", W::SET)))
}

/// The same for a value that may be absent.
pub(crate) mod optional {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::{Word, read};

    #[expect(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(crate) fn serialize<W: Word, S: Serializer>(value: &Option<W>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.serialize_some(value.word()),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, W: Word, D: Deserializer<'de>>(deserializer: D) -> Result<Option<W>, D::Error> {
        let Some(word) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        match read(&word) {
            Some(value) => Ok(Some(value)),
            None => Err(D::Error::custom(format_args!("`{word}` is not {}", W::SET))),
        }
    }
}
