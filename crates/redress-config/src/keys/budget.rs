//! The settings of a budget, by its kind.

use std::time::Duration;

use redress_core::budget::{BudgetSpec, EarnedBudgetSpec};
use redress_core::classify::PerClass;

use crate::kind::classes::ByClass;
use crate::kind::scalar::{Count, Seed, Share, Time};
use crate::kind::table::{Fields, required, setting};
use crate::kind::variants::{OneOf, Variant};
use crate::kind::{Kind, Optional, Rows};
use crate::reader::Reader;
use crate::schema::Schema;
use crate::tree::{Node, Value};

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
    required!(
        BudgetSpec,
        "max_retries",
        Count,
        "How many retries are granted in any window",
        ["Budget::new"],
        |spec| match spec {
            BudgetSpec::Window { max_retries, .. } => Some(*max_retries),
            _ => None,
        },
        |spec, value| if let BudgetSpec::Window { max_retries, .. } = spec {
            *max_retries = value;
        }
    ),
    required!(
        BudgetSpec,
        "window",
        Time,
        "How long a retry counts",
        ["Budget::new"],
        |spec| match spec {
            BudgetSpec::Window { window, .. } => Some(*window),
            _ => None,
        },
        |spec, value| if let BudgetSpec::Window { window, .. } = spec {
            *window = value;
        }
    ),
];

const EARNED: Fields<BudgetSpec> = &[
    setting!(
        BudgetSpec,
        "share",
        Share,
        "What each success adds, in tokens",
        ["Budget::earned"],
        |spec| earned(spec).map(|earned| earned.share),
        |spec, value| with(spec, |earned| earned.share = value)
    ),
    setting!(
        BudgetSpec,
        "capacity",
        Share,
        "The most tokens, and those at the start",
        ["EarnedBudgetBuilder::capacity", "EarnedBudgetBuilder::for_traffic"],
        |spec| earned(spec).map(|earned| earned.capacity),
        |spec, value| with(spec, |earned| earned.capacity = value)
    ),
    setting!(
        BudgetSpec,
        "reserve",
        Share,
        "What is left for critical calls",
        ["EarnedBudgetBuilder::reserve"],
        |spec| earned(spec).map(|earned| earned.reserve),
        |spec, value| with(spec, |earned| earned.reserve = value)
    ),
    setting!(
        BudgetSpec,
        "cost_for",
        ByClass(Count),
        "What a retry costs, by class; 1 by default",
        ["EarnedBudgetBuilder::cost_for"],
        |spec| earned(spec).map(costs),
        |spec, value| with(spec, |earned| earned.costs = PerClass::from_fn(|class| value[class].unwrap_or(1)))
    ),
    setting!(
        BudgetSpec,
        "seed",
        Optional(Seed),
        "Seed of the chances",
        ["EarnedBudgetBuilder::seed"],
        |spec| earned(spec).map(|earned| earned.seed),
        |spec, value| with(spec, |earned| earned.seed = value)
    ),
];

const fn earned(spec: &BudgetSpec) -> Option<&EarnedBudgetSpec> {
    match spec {
        BudgetSpec::Earned(earned) => Some(earned),
        _ => None,
    }
}

fn with(spec: &mut BudgetSpec, set: impl FnOnce(&mut EarnedBudgetSpec)) {
    if let BudgetSpec::Earned(earned) = spec {
        set(earned);
    }
}

/// The costs that are not the default.
fn costs(earned: &EarnedBudgetSpec) -> PerClass<Option<u32>> {
    PerClass::from_fn(|class| Some(earned.costs[class]).filter(|cost| *cost != 1))
}

/// The kind of [`BUDGET`], for tables that have a budget.
pub(crate) struct BudgetKind;

impl Kind for BudgetKind {
    type Value = BudgetSpec;

    fn read(&self, node: &Node, base: Option<&BudgetSpec>, reader: &mut Reader) -> Option<BudgetSpec> {
        BUDGET.read(node, base, reader)
    }

    fn write(&self, value: &BudgetSpec, base: Option<&BudgetSpec>) -> Option<Value> {
        BUDGET.write(value, base)
    }

    fn schema(&self) -> Schema {
        BUDGET.schema()
    }

    fn words(&self) -> String {
        BUDGET.words()
    }

    fn rows(&self, rows: &mut Rows) {
        BUDGET.variant_rows(rows);
    }
}
