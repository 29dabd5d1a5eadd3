//! The settings of a strategy, by its kind.

use std::borrow::Cow;
use std::mem;
use std::time::Duration;

use redress_core::strategy::{
    BackoffContext, Jitter, Strategy as _, StrategySpec, adaptive, decorrelated_jitter, equal_jitter, exponential,
    fixed, retry_after_or, token_backoff,
};

use crate::kind::Optional;
use crate::kind::scalar::{Choice, Count, Seed, Share, Time};
use crate::kind::table::{Fields, required, setting};
use crate::kind::variants::{OneOf, Variant, field_of};

pub(crate) static STRATEGY: OneOf<StrategySpec> = OneOf {
    what: "a strategy",
    definition: "strategy",
    variants: &[
        Variant {
            name: "decorrelated_jitter",
            meaning: "Random, between a base and three times the previous delay",
            methods: &["decorrelated_jitter"],
            fields: || DECORRELATED,
            blank: || decorrelated_jitter().spec(),
        },
        Variant {
            name: "exponential",
            meaning: "Random, below a ceiling that doubles",
            methods: &["exponential"],
            fields: || EXPONENTIAL,
            blank: || exponential().spec(),
        },
        Variant {
            name: "equal_jitter",
            meaning: "Random, in the upper half of a ceiling that doubles",
            methods: &["equal_jitter"],
            fields: || EXPONENTIAL,
            blank: || equal_jitter().spec(),
        },
        Variant {
            name: "token_backoff",
            meaning: "Like equal_jitter, with a ceiling that grows more slowly",
            methods: &["token_backoff"],
            fields: || EXPONENTIAL,
            blank: || token_backoff().spec(),
        },
        Variant {
            name: "fixed",
            meaning: "Always the same",
            methods: &["fixed"],
            fields: || FIXED,
            blank: || fixed(Duration::ZERO).spec(),
        },
        Variant {
            name: "retry_after_or",
            meaning: "The dependency's hint, or else another strategy's delay",
            methods: &["retry_after_or"],
            fields: || RETRY_AFTER_OR,
            blank: || retry_after_or(unset).spec(),
        },
        Variant {
            name: "adaptive",
            meaning: "Another strategy's delay, multiplied while many attempts fail",
            methods: &["adaptive"],
            fields: || ADAPTIVE,
            blank: || adaptive(unset).spec(),
        },
    ],
    is_of: |spec, name| name_of(spec) == Some(name),
};

/// Stands for the strategy that a table must say, since it has no default.
fn unset(_: &BackoffContext<'_>) -> Duration {
    Duration::ZERO
}

/// The kind that writes a strategy.
const fn name_of(spec: &StrategySpec) -> Option<&'static str> {
    match spec {
        StrategySpec::Fixed { .. } => Some("fixed"),
        StrategySpec::Exponential { .. } => Some("exponential"),
        StrategySpec::DecorrelatedJitter { .. } => Some("decorrelated_jitter"),
        StrategySpec::RetryAfterOr { .. } => Some("retry_after_or"),
        StrategySpec::Adaptive { .. } => Some("adaptive"),
        _ => None,
    }
}

/// A setting that is the field of a variant.
macro_rules! of {
    ($variant:ident, $($field:tt)*) => { field_of!(setting, StrategySpec::$variant, $($field)*) };
}

/// The setting of the strategy that a variant wraps.
macro_rules! fallback {
    ($variant:ident, $method:literal) => {
        required!(
            StrategySpec,
            "fallback",
            &STRATEGY,
            "The strategy that is wrapped",
            [$method],
            |spec| match spec {
                StrategySpec::$variant { fallback, .. } => Some(Cow::Borrowed(&**fallback)),
                _ => None,
            },
            |spec, value| if let StrategySpec::$variant { fallback, .. } = spec {
                **fallback = value;
            }
        )
    };
}

const FIXED: Fields<StrategySpec> =
    &[field_of!(required, StrategySpec::Fixed, delay: Time, "The delay before each retry", ["fixed"])];

const EXPONENTIAL: Fields<StrategySpec> = &[
    of!(Exponential, base: Time, "The delay that the factor multiplies", ["Exponential::base"]),
    of!(Exponential, factor: Share, "The growth of the ceiling per attempt", ["Exponential::factor"]),
    of!(Exponential, max: Time, "The longest delay", ["Exponential::max"]),
    of!(Exponential, jitter: JITTER, "The part of a delay that is random", ["Exponential::jitter"]),
    of!(Exponential, first_power: Count, "The power of the factor in the first ceiling", ["Exponential::first_power"]),
    of!(Exponential, seed: Optional(Seed), "Seed of the draws", ["Exponential::seed"]),
];

const JITTER: Choice<Jitter> = Choice(&[("full", Jitter::Full), ("equal", Jitter::Equal), ("none", Jitter::None)]);

const DECORRELATED: Fields<StrategySpec> = &[
    of!(DecorrelatedJitter, base: Time, "The shortest delay", ["DecorrelatedJitter::base"]),
    of!(DecorrelatedJitter, max: Time, "The longest delay", ["DecorrelatedJitter::max"]),
    of!(DecorrelatedJitter, seed: Optional(Seed), "Seed of the draws", ["DecorrelatedJitter::seed"]),
];

const RETRY_AFTER_OR: Fields<StrategySpec> = &[
    of!(RetryAfterOr, jitter: Time, "The longest time that is added to a hint", ["RetryAfterOr::jitter"]),
    of!(RetryAfterOr, seed: Optional(Seed), "Seed of the jitter", ["RetryAfterOr::seed"]),
    fallback!(RetryAfterOr, "retry_after_or"),
];

const ADAPTIVE: Fields<StrategySpec> = &[
    of!(Adaptive, window: Time, "How long a result counts", ["Adaptive::window"]),
    of!(Adaptive, target_success: Share, "The share of successes below which delays grow", ["Adaptive::target_success"]),
    of!(Adaptive, min_multiplier: Share, "The smallest multiplier", ["Adaptive::min_multiplier"]),
    of!(Adaptive, max_multiplier: Share, "The largest multiplier", ["Adaptive::max_multiplier"]),
    fallback!(Adaptive, "adaptive"),
];

/// A strategy without the one that it wraps, and that one: each has rules of its own.
pub(crate) fn unwrapped(mut spec: StrategySpec) -> (StrategySpec, Option<StrategySpec>) {
    let (StrategySpec::RetryAfterOr { fallback, .. } | StrategySpec::Adaptive { fallback, .. }) = &mut spec else {
        return (spec, None);
    };
    let fallback = mem::replace(&mut **fallback, StrategySpec::Fixed { delay: Duration::ZERO });
    (spec, Some(fallback))
}

/// The key of a builder's field: `exponential.base` is `base`.
pub(crate) fn key_of(field: &str) -> &str {
    field.split_once('.').map_or("delay", |(_, key)| key)
}
