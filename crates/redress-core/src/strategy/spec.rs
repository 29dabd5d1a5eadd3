//! `StrategySpec`: the configuration of each strategy as plain data, and its `Display` form.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::exponential::{Jitter, grown};
use super::{Strategy, adaptive, decorrelated_jitter, exponential, fixed, retry_after_or};
use crate::outcome::readable_duration::Readable;

/// The configuration of a strategy as plain data. [`Strategy::spec`] returns it,
/// [`build`](Self::build) creates a strategy from it, and its `Display` describes it in words.
///
/// The fields are those of the builders, so `spec` and `build` are inverses. State is not included:
/// a built strategy has learned nothing, and one with a seed starts from the seed.
///
/// ```
/// use std::time::Duration;
/// use redress::{decorrelated_jitter, retry_after_or};
/// use redress::strategy::{Strategy, StrategySpec};
///
/// let spec = retry_after_or(decorrelated_jitter().max(Duration::from_secs(5))).spec();
/// assert_eq!(spec.to_string(), "the hint plus up to 250 ms, else decorrelated jitter from 250 ms up to 5 s");
///
/// let built = spec.build().expect("contains no custom strategy");
/// assert_eq!(built.spec(), spec);
/// assert!(StrategySpec::Custom.build().is_none());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StrategySpec {
    /// [`fixed`](super::fixed).
    Fixed {
        /// The delay before each retry.
        delay: Duration,
    },
    /// [`exponential`](super::exponential) and its presets [`equal_jitter`](super::equal_jitter)
    /// and [`token_backoff`](super::token_backoff).
    Exponential {
        /// The delay that the factor multiplies.
        base: Duration,
        /// The growth of the ceiling per attempt.
        factor: f64,
        /// The longest delay.
        max: Duration,
        /// The part of a delay that is drawn at random.
        jitter: Jitter,
        /// The power of the factor in the first ceiling.
        first_power: u32,
        /// The seed of the draws; `None` draws from the thread's generator.
        seed: Option<u64>,
    },
    /// [`decorrelated_jitter`](super::decorrelated_jitter).
    DecorrelatedJitter {
        /// The shortest delay.
        base: Duration,
        /// The longest delay.
        max: Duration,
        /// The seed of the draws; `None` draws from the thread's generator.
        seed: Option<u64>,
    },
    /// [`retry_after_or`](super::retry_after_or).
    RetryAfterOr {
        /// The longest time that is added to a hint.
        jitter: Duration,
        /// The seed of the jitter; `None` draws from the thread's generator.
        seed: Option<u64>,
        /// The strategy for failures without a hint.
        fallback: Box<Self>,
    },
    /// [`adaptive`](super::adaptive).
    Adaptive {
        /// How long a result counts.
        window: Duration,
        /// The share of successes below which delays are multiplied.
        target_success: f64,
        /// The smallest multiplier.
        min_multiplier: f64,
        /// The largest multiplier.
        max_multiplier: f64,
        /// The strategy whose delays are multiplied.
        fallback: Box<Self>,
    },
    /// A custom strategy, such as a closure. It cannot be built from a spec.
    Custom,
}

impl StrategySpec {
    /// Builds the strategy. Returns `None` if it is [`Custom`](Self::Custom) or wraps one that is.
    ///
    /// Does not validate the values: a policy's `build()` does, through [`Strategy::issues`].
    #[must_use]
    pub fn build(&self) -> Option<Arc<dyn Strategy>> {
        Some(match self {
            Self::Fixed { delay } => Arc::new(fixed(*delay)),
            Self::Exponential { base, factor, max, jitter, first_power, seed } => {
                let strategy =
                    exponential().base(*base).factor(*factor).max(*max).jitter(*jitter).first_power(*first_power);
                Arc::new(if let Some(seed) = seed { strategy.seed(*seed) } else { strategy })
            }
            Self::DecorrelatedJitter { base, max, seed } => {
                let strategy = decorrelated_jitter().base(*base).max(*max);
                Arc::new(if let Some(seed) = seed { strategy.seed(*seed) } else { strategy })
            }
            Self::RetryAfterOr { jitter, seed, fallback } => {
                let strategy = retry_after_or(fallback.build()?).jitter(*jitter);
                Arc::new(if let Some(seed) = seed { strategy.seed(*seed) } else { strategy })
            }
            Self::Adaptive { window, target_success, min_multiplier, max_multiplier, fallback } => Arc::new(
                adaptive(fallback.build()?)
                    .window(*window)
                    .target_success(*target_success)
                    .min_multiplier(*min_multiplier)
                    .max_multiplier(*max_multiplier),
            ),
            Self::Custom => return None,
        })
    }
}

impl fmt::Display for StrategySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed { delay } if delay.is_zero() => f.write_str("no delay"),
            Self::Fixed { delay } => write!(f, "a fixed delay of {}", Readable(*delay)),
            Self::Exponential { base, factor, max, jitter, first_power, seed } => {
                let first = grown(*base, *factor, *first_power).min(*max);
                write!(f, "exponential backoff from {} up to {}, ", Readable(first), Readable(*max))?;
                write!(f, "factor {factor}, {}{}", jitter.text(), SeedText(*seed))
            }
            Self::DecorrelatedJitter { base, max, seed } => {
                let (base, max) = (Readable(*base), Readable(*max));
                write!(f, "decorrelated jitter from {base} up to {max}{}", SeedText(*seed))
            }
            Self::RetryAfterOr { jitter, seed, fallback } => {
                f.write_str("the hint")?;
                if !jitter.is_zero() {
                    write!(f, " plus up to {}", Readable(*jitter))?;
                }
                write!(f, "{}, else {fallback}", SeedText(*seed))
            }
            Self::Adaptive { window, target_success, min_multiplier, max_multiplier, fallback } => {
                write!(f, "{min_multiplier} to {max_multiplier} times as long while fewer than {target_success} of ")?;
                write!(f, "the attempts within {} succeed: {fallback}", Readable(*window))
            }
            Self::Custom => f.write_str("custom"),
        }
    }
}

impl Jitter {
    const fn text(self) -> &'static str {
        match self {
            Self::None => "no jitter",
            Self::Full => "full jitter",
            Self::Equal => "equal jitter",
        }
    }
}

/// The last part of a strategy's text: its seed, if it has one.
struct SeedText(Option<u64>);

impl fmt::Display for SeedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |seed| write!(f, ", seed {seed}"))
    }
}
