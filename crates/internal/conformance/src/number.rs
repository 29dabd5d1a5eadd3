//! Times as the scenarios write them: seconds as JSON numbers, or as `"nan"`, `"inf"` and `"-inf"`.
//!
//! A time is read in two ways: as a delay, and as a hint.

use std::time::Duration;

use serde::Deserialize;

/// Seconds in an input that may be negative, or one of `"nan"`, `"inf"`, `"-inf"`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Seconds {
    Number(f64),
    Strange(NotANumber),
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) enum NotANumber {
    #[serde(rename = "nan")]
    Nan,
    #[serde(rename = "inf")]
    Infinite,
    #[serde(rename = "-inf")]
    NegativeInfinite,
}

impl Seconds {
    /// Reads it as a delay: zero if negative or not finite, which no delay of redress can be.
    pub(crate) fn delay(self) -> Duration {
        match self {
            Self::Number(seconds) => duration(seconds),
            Self::Strange(NotANumber::Nan | NotANumber::Infinite | NotANumber::NegativeInfinite) => Duration::ZERO,
        }
    }

    /// Reads it as a hint: zero if negative, `None` if not finite.
    pub(crate) fn hint(self) -> Option<Duration> {
        match self {
            Self::Number(seconds) => Some(duration(seconds)),
            Self::Strange(_) => None,
        }
    }
}

/// Converts seconds to a duration; saturates at both ends.
pub(crate) fn duration(seconds: f64) -> Duration {
    if seconds <= 0.0 {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}
