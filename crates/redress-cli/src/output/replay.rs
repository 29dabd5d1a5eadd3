//! Replays as one JSON object.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, SystemTime};

use redress_core::StopReason;
use redress_sim::{Certainty, Counts, ReplayVerdict, Replayed};
use serde::Serialize;

use crate::commands::Failed;

/// Keys are never removed; readers should ignore those that they do not know. Times are
/// microseconds.
#[derive(Serialize)]
struct Document {
    from_us: u64,
    span_us: u64,
    recorded: BTreeMap<&'static str, Option<u64>>,
    policies: Vec<Policy>,
    requirements: Vec<Required>,
}

#[derive(Serialize)]
struct Policy {
    policy: String,
    /// Whether nothing was drawn, the policy alone drew, or attempts were drawn.
    certainty: &'static str,
    runs: usize,
    likely: BTreeMap<&'static str, Option<[u64; 2]>>,
    all_fail: BTreeMap<&'static str, Option<u64>>,
    all_succeed: BTreeMap<&'static str, Option<u64>>,
    limits: Vec<String>,
}

#[derive(Serialize)]
struct Required {
    requirement: String,
    measured: [String; 2],
    holds: bool,
}

type Of = Box<dyn Fn(&Counts) -> Option<u64>>;

/// Every count, with its key.
fn counts() -> Vec<(&'static str, Of)> {
    let all = |of: fn(&Counts) -> u64| -> Of { Box::new(move |counts| Some(of(counts))) };
    let latency = |share: f64| -> Of { Box::new(move |counts| counts.latency(share).map(micros)) };
    let mut found: Vec<(&'static str, Of)> = vec![
        ("calls", all(|counts| counts.calls)),
        ("good", all(|counts| counts.good)),
        ("failed", all(|counts| counts.failed)),
        ("rejected", all(|counts| counts.rejected)),
        ("cancelled", all(|counts| counts.cancelled)),
        ("panicked", all(|counts| counts.panicked)),
        ("unfinished", all(|counts| counts.unfinished)),
        ("attempts", all(|counts| counts.attempts)),
        ("retries", all(|counts| counts.retries)),
        ("drawn", all(|counts| counts.drawn)),
        ("drawn_elsewhere", all(|counts| counts.drawn_elsewhere)),
        ("moved", all(|counts| counts.moved)),
        ("open_us", Box::new(|counts| counts.open.map(micros))),
        ("p50_us", latency(0.5)),
        ("p95_us", latency(0.95)),
        ("p99_us", latency(0.99)),
    ];
    for reason in StopReason::ALL.iter().copied() {
        found.push((reason.as_str(), Box::new(move |counts| Some(counts.ended(Some(reason))))));
    }
    found
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn of_one(counted: &Counts) -> BTreeMap<&'static str, Option<u64>> {
    counts().into_iter().map(|(key, of)| (key, of(counted))).collect()
}

impl Policy {
    fn of(replayed: &Replayed) -> Self {
        let likely = counts().into_iter().map(|(key, of)| {
            let (low, high) = replayed.likely(of);
            (key, low.zip(high).map(|(low, high)| [low, high]))
        });
        Self {
            policy: replayed.name().to_owned(),
            certainty: match replayed.certainty() {
                Certainty::Certain => "certain",
                Certainty::Policy => "policy",
                _ => "drawn",
            },
            runs: replayed.runs().len(),
            likely: likely.collect(),
            all_fail: of_one(replayed.all_fail()),
            all_succeed: of_one(replayed.all_succeed()),
            limits: replayed.limits(),
        }
    }
}

pub(crate) fn write(
    replayed: &Replayed,
    against: Option<&Replayed>,
    verdicts: &[ReplayVerdict],
    out: &mut dyn Write,
) -> Result<(), Failed> {
    let (from, span) = replayed.span();
    let required = verdicts.iter().map(|verdict| Required {
        requirement: verdict.requirement.clone(),
        measured: [verdict.measured.0.to_string(), verdict.measured.1.to_string()],
        holds: verdict.holds,
    });
    let document = Document {
        from_us: micros(from.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()),
        span_us: micros(span),
        recorded: of_one(replayed.recorded()),
        policies: [replayed].into_iter().chain(against).map(Policy::of).collect(),
        requirements: required.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(writeln!(out)?)
}
