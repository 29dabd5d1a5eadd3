//! The settings of a budget, by its kind.

use std::borrow::Cow;
use std::time::Duration;

use redress_core::budget::{BudgetSpec, EarnedBudgetSpec};
use redress_core::classify::PerClass;

use crate::kind::Optional;
use crate::kind::classes::ByClass;
use crate::kind::scalar::{Count, Seed, Share, Time};
use crate::kind::table::{Fields, required, setting};
use crate::kind::variants::{OneOf, Variant, field_of};

pub(crate) static BUDGET: OneOf<BudgetSpec> = OneOf {
    what: "a budget",
    definition: "budget_of_policy",
    variants: &[
        Variant {
            name: "earned",
            meaning: "Retries that successes pay for",
            methods: &["Budget::earned"],
            fields: || EARNED,
            blank: || BudgetSpec::Earned(EarnedBudgetSpec::default()),
        },
        Variant {
            name: "window",
            meaning: "So many retries in any window",
            methods: &["Budget::new"],
            fields: || WINDOW,
            blank: || BudgetSpec::new(0, Duration::ZERO),
        },
    ],
    is_of: |spec, name| {
        matches!((spec, name), (BudgetSpec::Earned(_), "earned") | (BudgetSpec::Window { .. }, "window"))
    },
};

const WINDOW: Fields<BudgetSpec> = &[
    field_of!(required, BudgetSpec::Window, max_retries: Count, "How many retries are granted in any window", ["Budget::new"]),
    field_of!(required, BudgetSpec::Window, window: Time, "How long a retry counts", ["Budget::new"]),
];

/// A setting that is a field of the spec of an earned budget.
macro_rules! earned {
    ($field:ident: $kind:expr, $meaning:literal, [$($method:literal),*]) => {
        earned!(
            stringify!($field), $kind, $meaning, [$($method),*],
            |earned| Cow::Borrowed(&earned.$field), |earned, value| earned.$field = value
        )
    };
    (
        $key:expr, $kind:expr, $meaning:literal, [$($method:literal),*],
        |$of:ident| $get:expr, |$into:ident, $value:ident| $set:expr
    ) => {
        setting!(
            BudgetSpec, $key, $kind, $meaning, [$($method),*],
            |spec| match spec { BudgetSpec::Earned($of) => Some($get), _ => None },
            |spec, $value| if let BudgetSpec::Earned($into) = spec { $set }
        )
    };
}

const EARNED: Fields<BudgetSpec> = &[
    earned!(share: Share, "What each success adds, in tokens", ["Budget::earned"]),
    earned!(capacity: Share, "The most tokens, and those at the start", ["EarnedBudgetBuilder::capacity", "EarnedBudgetBuilder::for_traffic"]),
    earned!(reserve: Share, "What is left for critical calls", ["EarnedBudgetBuilder::reserve"]),
    earned!(
        "cost_for",
        ByClass(Count),
        "What a retry costs, by class; 1 by default",
        ["EarnedBudgetBuilder::cost_for"],
        |earned| Cow::Owned(costs(earned)),
        |earned, value| earned.costs = PerClass::from_fn(|class| value[class].unwrap_or(1))
    ),
    earned!(seed: Optional(Seed), "Seed of the chances", ["EarnedBudgetBuilder::seed"]),
];

/// The costs that are not the default.
fn costs(earned: &EarnedBudgetSpec) -> PerClass<Option<u32>> {
    PerClass::from_fn(|class| Some(earned.costs[class]).filter(|cost| *cost != 1))
}
