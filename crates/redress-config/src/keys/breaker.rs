//! The settings of a circuit breaker.

use std::borrow::Cow;
use std::time::Duration;

use redress_core::breaker::{BreakerSpec, ProbeLease, Ramp, RecoveryGrowth, Trial};
use redress_core::classify::PerClass;

use crate::kind::Optional;
use crate::kind::classes::ByClass;
use crate::kind::scalar::{Class, Count, List, Name, Seed, Share, Time};
use crate::kind::table::{Fields, TableOf, required, setting};

pub(crate) static BREAKER: TableOf<BreakerSpec> =
    TableOf { what: "a breaker", fields: FIELDS, blank: BreakerSpec::default };

const FIELDS: Fields<BreakerSpec> = &[
    setting!(
        BreakerSpec,
        "name",
        Name,
        "Name in events; the name of the part by default",
        ["CircuitBreakerBuilder::name"],
        |spec| Some(Cow::Owned(spec.name.as_deref().map(str::to_owned))),
        |spec, name| spec.name = name.map(Into::into)
    ),
    setting!(BreakerSpec, failure_threshold: Optional(Count), "How many failures within the window open the circuit", ["CircuitBreakerBuilder::failure_threshold"]),
    setting!(BreakerSpec, failure_ratio: Optional(Share), "Which share of bad calls within the window opens the circuit", ["CircuitBreakerBuilder::failure_ratio"]),
    setting!(BreakerSpec, min_calls: Count, "How many calls the ratio needs", ["CircuitBreakerBuilder::min_calls"]),
    setting!(BreakerSpec, consecutive_failures: Optional(Count), "How many bad results in a row open the circuit", ["CircuitBreakerBuilder::consecutive_failures"]),
    setting!(BreakerSpec, window: Optional(Time), "How long a result counts", ["CircuitBreakerBuilder::window"]),
    setting!(BreakerSpec, slow_call: Optional(Time), "How long an attempt may take before it is bad", ["CircuitBreakerBuilder::slow_call"]),
    setting!(BreakerSpec, recovery_timeout: Time, "How long the circuit stays open", ["CircuitBreakerBuilder::recovery_timeout"]),
    setting!(BreakerSpec, recovery_growth: Optional(GROWTH), "How the open wait grows with openings in a row", ["CircuitBreakerBuilder::recovery_growth"]),
    setting!(BreakerSpec, recovery_jitter: Share, "Which part of the open wait is random", ["CircuitBreakerBuilder::recovery_jitter"]),
    setting!(BreakerSpec, seed: Optional(Seed), "Seed of the jitter", ["CircuitBreakerBuilder::seed"]),
    setting!(BreakerSpec, honour_retry_after: Optional(Time), "Longest hint that the open wait honours", ["CircuitBreakerBuilder::honour_retry_after"]),
    setting!(BreakerSpec, open_on_retry_after: Optional(Time), "Least hint that opens the circuit at once", ["CircuitBreakerBuilder::open_on_retry_after"]),
    setting!(BreakerSpec, trial: TRIAL, "How a half-open circuit is judged", ["CircuitBreakerBuilder::trial"]),
    setting!(
        BreakerSpec,
        "probe_lease",
        Optional(Time),
        "How long a probe keeps its place; the recovery timeout by default",
        ["CircuitBreakerBuilder::probe_lease", "CircuitBreakerBuilder::no_probe_lease"],
        |spec| lease(spec).map(Cow::Owned),
        |spec, lease| spec.probe_lease = lease.map_or(ProbeLease::Endless, ProbeLease::Lasts)
    ),
    setting!(BreakerSpec, ramp: Optional(RAMP), "The ramp after a passed trial", ["CircuitBreakerBuilder::ramp"]),
    setting!(BreakerSpec, trip_on: List(Class), "Classes whose failures count", ["CircuitBreakerBuilder::trip_on"]),
    setting!(
        BreakerSpec,
        "class_threshold",
        ByClass(Count),
        "Thresholds of single classes",
        ["CircuitBreakerBuilder::class_threshold"],
        |spec| Some(Cow::Owned(thresholds(spec))),
        |spec, thresholds| spec.class_thresholds = listed(&thresholds)
    ),
];

const TRIAL: TableOf<Trial> = TableOf {
    what: "a trial",
    fields: &[
        setting!(Trial, places: Count, "How many probes run at a time", ["Trial::places"]),
        setting!(Trial, passes: Count, "How many answers close the circuit", ["Trial::passes"]),
        setting!(Trial, failures: Count, "How many bad results are allowed", ["Trial::failures"]),
    ],
    blank: Trial::new,
};

const GROWTH: TableOf<RecoveryGrowth> = TableOf {
    what: "the growth of the open wait",
    fields: &[
        required!(RecoveryGrowth, factor: Share, "By what each wait is multiplied", ["CircuitBreakerBuilder::recovery_growth"]),
        required!(RecoveryGrowth, max: Time, "The longest open wait", ["CircuitBreakerBuilder::recovery_growth"]),
    ],
    blank: || RecoveryGrowth::new(1.0, Duration::ZERO),
};

const RAMP: TableOf<Ramp> = TableOf {
    what: "a ramp",
    fields: &[
        required!(Ramp, length: Time, "How long the ramp takes", ["CircuitBreakerBuilder::ramp"]),
        required!(Ramp, from: Share, "Which share of calls it admits at first", ["CircuitBreakerBuilder::ramp"]),
    ],
    blank: || Ramp::new(Duration::ZERO, 0.0),
};

/// The lease; `None` if it is the default one, which follows the recovery timeout.
fn lease(spec: &BreakerSpec) -> Option<Option<Duration>> {
    match spec.probe_lease {
        ProbeLease::Lasts(lease) => Some(Some(lease)),
        ProbeLease::Endless => Some(None),
        _ => None,
    }
}

/// The last threshold of each class counts.
fn thresholds(spec: &BreakerSpec) -> PerClass<Option<u32>> {
    let mut by_class = PerClass::default();
    for (class, threshold) in &spec.class_thresholds {
        by_class[*class] = Some(*threshold);
    }
    by_class
}

fn listed(by_class: &PerClass<Option<u32>>) -> Vec<(redress_core::ErrorClass, u32)> {
    by_class.iter().filter_map(|(class, threshold)| Some((class, (*threshold)?))).collect()
}
