//! Times as the scenarios write them: seconds as JSON numbers, and three that are no numbers.
//!
//! Owns the two readings of a time: as an input of the configuration, and as something a strategy
//! or a server said.

use std::time::Duration;

use serde::Deserialize;

/// Seconds in an input that may be strange: negative, or one of `"nan"`, `"inf"`, `"-inf"`.
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
    /// As a delay: a delay cannot be strange, so what is reads as zero.
    pub(crate) fn delay(self) -> Duration {
        match self {
            Self::Number(seconds) => duration(seconds),
            Self::Strange(NotANumber::Nan | NotANumber::Infinite | NotANumber::NegativeInfinite) => Duration::ZERO,
        }
    }

    /// As a hint: a negative one reads as zero, one that is not finite as none.
    pub(crate) fn hint(self) -> Option<Duration> {
        match self {
            Self::Number(seconds) => Some(duration(seconds)),
            Self::Strange(_) => None,
        }
    }
}

/// Seconds as a duration; what does not fit saturates.
pub(crate) fn duration(seconds: f64) -> Duration {
    if seconds <= 0.0 {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}
