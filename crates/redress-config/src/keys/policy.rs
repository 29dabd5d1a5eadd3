//! The settings of a policy and of its retry.

use std::borrow::Cow;

use redress_core::breaker::BreakerSpec;
use redress_core::budget::BudgetSpec;
use redress_core::classify::PerClass;
use redress_core::policy::{Nested, PolicyBreaker, PolicySpec, RetrySpec};
use redress_core::strategy::StrategySpec;

use crate::class::{CLASS_RULE, class_names, class_of};
use crate::keys::breaker::BREAKER;
use crate::keys::budget::BUDGET;
use crate::keys::strategy::STRATEGY;
use crate::kind::classes::ByClass;
use crate::kind::part::{Part, PartOf, Section};
use crate::kind::scalar::{Choice, Count, Flag, Name, Share, Time};
use crate::kind::table::{Fields, TableOf, required, setting};
use crate::kind::{Kind, Optional, Rows};
use crate::reader::Reader;
use crate::schema::Schema;
use crate::tree::{Node, Value};

/// A policy as a file has it: shared parts are names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PolicyDraft {
    pub(crate) preset: Option<String>,
    /// Without retry and breaker, which are the next two fields.
    pub(crate) spec: PolicySpec,
    pub(crate) retry: Option<RetryDraft>,
    pub(crate) breaker: Option<Part<BreakerSpec>>,
    pub(crate) traffic: Option<Traffic>,
}

/// The retry of a policy as a file has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RetryDraft {
    /// Without the budget, which is the next field.
    pub(crate) spec: RetrySpec,
    pub(crate) budget: Option<Part<BudgetSpec>>,
}

/// The traffic of a policy, for checks of the file. It changes nothing at run time.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Traffic {
    /// How many calls all clients together make in a second.
    pub calls_per_second: f64,
    /// How many clients make them, each with a budget and a breaker. Default: 1.
    pub clients: u32,
}

impl PolicyDraft {
    /// One attempt without a time limit.
    pub(crate) fn once() -> Self {
        let mut spec = PolicySpec::default();
        (spec.retry, spec.deadline) = (None, None);
        Self { preset: None, spec, retry: None, breaker: None, traffic: None }
    }

    /// The draft of a spec, whose parts are the policy's own. `None` if a part is code.
    pub(crate) fn of(spec: &PolicySpec) -> Option<Self> {
        let breaker = match &spec.breaker {
            None => None,
            Some(PolicyBreaker::Circuit(breaker)) => Some(Part::Own(breaker.clone())),
            Some(_) => return None,
        };
        let mut own = spec.clone();
        (own.retry, own.breaker) = (None, None);
        let retry = spec.retry.clone().map(|mut spec| {
            let budget = spec.budget.take().map(Part::Own);
            RetryDraft { spec, budget }
        });
        Some(Self { preset: None, spec: own, retry, breaker, traffic: None })
    }
}

pub(crate) static POLICY: TableOf<PolicyDraft> = TableOf { what: "a policy", fields: FIELDS, blank: PolicyDraft::once };

/// A setting that is a field of the spec of the policy.
macro_rules! of_policy {
    ($field:ident: $kind:expr, $meaning:literal, [$($method:literal),*]) => {
        setting!(
            PolicyDraft, stringify!($field), $kind, $meaning, [$($method),*],
            |draft| Some(Cow::Borrowed(&draft.spec.$field)), |draft, value| draft.spec.$field = value
        )
    };
}

const FIELDS: Fields<PolicyDraft> = &[
    setting!(PolicyDraft, preset: Preset, "The policy that the settings are changes of", []),
    setting!(
        PolicyDraft,
        "name",
        Name,
        "Name in events; the name of the table by default",
        ["PolicyBuilder::name"],
        |draft| Some(Cow::Owned(draft.spec.name.as_deref().map(str::to_owned))),
        |draft, name| draft.spec.name = name.map(Into::into)
    ),
    of_policy!(deadline: Optional(Time), "Time limit of a call, waits included", ["PolicyBuilder::deadline", "PolicyBuilder::no_deadline"]),
    of_policy!(attempt_timeout: Optional(Time), "Time limit of each attempt", ["PolicyBuilder::attempt_timeout", "PolicyBuilder::no_attempt_timeout"]),
    of_policy!(finish_running_attempt: Flag, "Whether an attempt may finish at the deadline", ["PolicyBuilder::finish_running_attempt"]),
    of_policy!(nested: Optional(NESTED), "What happens to calls within calls", ["PolicyBuilder::nested"]),
    of_policy!(ignore_inherited_deadline: Flag, "Whether the deadline of a call around is ignored", ["PolicyBuilder::ignore_inherited_deadline"]),
    of_policy!(judge_attempts: Flag, "Whether the breaker judges attempts and not calls", ["PolicyBuilder::judge_attempts"]),
    setting!(PolicyDraft, breaker: Optional(PartOf(Section::Breaker, BREAKER_TABLE)), "The circuit breaker", ["PolicyBuilder::circuit_breaker"]),
    setting!(PolicyDraft, retry: Optional(RETRY), "The retry; none is one attempt", ["PolicyBuilder::retry"]),
    setting!(
        PolicyDraft,
        "strategy",
        Strategies,
        "The waits before retries, by default and by class",
        ["RetryBuilder::strategy", "RetryBuilder::strategy_for"],
        |draft| draft.retry.as_ref().map(|retry| Cow::Owned(strategies_of(retry))),
        |draft, (default, by_class)| {
            let retry = draft.retry.get_or_insert_default();
            (retry.spec.strategy, retry.spec.strategies) = (default, by_class);
        }
    ),
    setting!(PolicyDraft, traffic: Optional(TRAFFIC), "The traffic, for checks of the file", []),
];

const BREAKER_TABLE: TableOf<BreakerSpec> =
    TableOf { what: "a breaker", fields: BREAKER.fields, blank: BreakerSpec::default };

const NESTED: Choice<Nested> = Choice(&[
    ("allow", Nested::Allow),
    ("warn", Nested::Warn),
    ("retry_outermost", Nested::RetryOutermost),
    ("retry_innermost", Nested::RetryInnermost),
]);

const TRAFFIC: TableOf<Traffic> = TableOf {
    what: "the traffic",
    fields: &[
        required!(Traffic, calls_per_second: Share, "Calls of all clients in a second", []),
        setting!(Traffic, clients: Count, "How many clients make them", []),
    ],
    blank: || Traffic { calls_per_second: 0.0, clients: 1 },
};

/// A setting that is a field of the spec of the retry.
macro_rules! of_retry {
    ($field:ident: $kind:expr, $meaning:literal, [$($method:literal),*]) => {
        setting!(
            RetryDraft, stringify!($field), $kind, $meaning, [$($method),*],
            |draft| Some(Cow::Borrowed(&draft.spec.$field)), |draft, value| draft.spec.$field = value
        )
    };
}

const RETRY: TableOf<RetryDraft> = TableOf {
    what: "a retry",
    fields: &[
        of_retry!(max_attempts: Count, "Attempts of a call, the first one included", ["RetryBuilder::max_attempts"]),
        of_retry!(max_unknown_retries: Optional(Count), "Retries of failures of class Unknown", ["RetryBuilder::max_unknown_retries", "RetryBuilder::unlimited_unknown_retries"]),
        of_retry!(max_retries_for: ByClass(Count), "Retries of single classes", ["RetryBuilder::max_retries_for"]),
        of_retry!(ignore_retry_after: Flag, "Whether hints are no lower bound of waits", ["RetryBuilder::ignore_retry_after"]),
        of_retry!(max_retry_after: Optional(Time), "The longest hint that is heeded", ["RetryBuilder::max_retry_after"]),
        setting!(RetryDraft, budget: Optional(PartOf(Section::Budget, &BUDGET)), "The budget of retries", ["RetryBuilder::budget"]),
    ],
    blank: RetryDraft::default,
};

/// The name of a preset. The file has looked it up before the other settings are read.
struct Preset;

impl Kind for Preset {
    type Value = Option<String>;

    fn read(&self, node: &Node, base: Option<&Self::Value>, _: &mut Reader) -> Option<Self::Value> {
        let _ = node;
        base.cloned()
    }

    fn write(&self, value: &Self::Value, _: Option<&Self::Value>) -> Option<Value> {
        value.as_deref().map(Value::text)
    }

    fn schema(&self) -> Schema {
        Schema::of_type("string")
    }

    fn words(&self) -> String {
        "name of a preset".to_owned()
    }
}

/// The strategies of a retry: `default`, and those of single classes.
struct Strategies;

pub(crate) const DEFAULT: &str = "default";

fn strategies_of(retry: &RetryDraft) -> StrategyTable {
    (retry.spec.strategy.clone(), retry.spec.strategies.clone())
}

type StrategyTable = (Option<StrategySpec>, PerClass<Option<StrategySpec>>);

impl Kind for Strategies {
    type Value = StrategyTable;

    fn read(&self, node: &Node, base: Option<&StrategyTable>, reader: &mut Reader) -> Option<StrategyTable> {
        let Some(entries) = node.as_table() else {
            reader.refuse(node, "be a table: `default`, or a strategy for each class");
            return None;
        };
        let (mut default, mut by_class) = base.cloned().unwrap_or_default();
        let mut seen = Vec::new();
        for entry in entries {
            reader.within(&entry.key, |reader| match class_of(&entry.key) {
                _ if entry.key == DEFAULT => {
                    if let Some(read) = Optional(&STRATEGY).read(&entry.node, Some(&default), reader) {
                        default = read;
                    }
                }
                Some(class) => {
                    ByClass(&STRATEGY).read_entry((class, &entry.node), &mut seen, &mut by_class, reader);
                }
                None => {
                    let known = class_names().chain([DEFAULT]);
                    reader.refuse_key(&entry.key, entry.span, format!("{CLASS_RULE}, or `default`"), known);
                }
            });
        }
        Some((default, by_class))
    }

    fn write(&self, value: &StrategyTable, base: Option<&StrategyTable>) -> Option<Value> {
        let mut table = Vec::new();
        let base_default = base.map(|(default, _)| default);
        if base_default != Some(&value.0) && !(base.is_none() && value.0.is_none()) {
            table.push((DEFAULT.to_owned(), Optional(&STRATEGY).write(&value.0, base_default)?));
        }
        table.extend(ByClass(&STRATEGY).write_classes(&value.1, base.map(|(_, by_class)| by_class))?);
        Some(Value::table(table))
    }

    fn schema(&self) -> Schema {
        let value = || STRATEGY.schema().or(Schema::constant(crate::kind::NONE));
        let names = std::iter::once(DEFAULT).chain(class_names());
        Schema::open_table(names.map(|name| (name, value())))
    }

    fn words(&self) -> String {
        "table by class, or `default`, of a strategy".to_owned()
    }

    fn rows(&self, rows: &mut Rows) {
        rows.within(DEFAULT, |rows| STRATEGY.rows(rows));
    }
}
