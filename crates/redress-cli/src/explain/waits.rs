//! The waits after each attempt: the least, the most, and the median of many, which the strategies
//! themselves draw.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use redress_core::observe::Readable;
use redress_core::policy::PolicySpec;
use redress_core::strategy::{BackoffContext, Strategy, StrategySpec};
use redress_core::{Classification, ErrorClass};
use redress_doctor::WaitRange;
use serde::Serialize;

use super::sentences::retries;
use crate::output::wrapped;

/// How many waits are listed.
const LISTED: u32 = 12;

/// How many calls are drawn for the median: an odd number, so that one is in the middle.
const DRAWN: usize = 999;

/// The waits after failures in some classes.
#[derive(Debug, Serialize)]
pub(crate) struct Waits {
    pub(super) classes: Vec<&'static str>,
    strategy: String,
    pub(super) waits: Vec<Wait>,
    /// Waits beyond those listed.
    more: u32,
}

/// The wait after one attempt, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Wait {
    pub(super) attempt: u32,
    #[serde(serialize_with = "seconds")]
    pub(super) least: Duration,
    #[serde(serialize_with = "seconds")]
    pub(super) median: Duration,
    #[serde(serialize_with = "seconds")]
    pub(super) most: Duration,
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl Waits {
    /// The waits of a policy, classes with the same strategy together.
    pub(crate) fn of(spec: &PolicySpec) -> Vec<Self> {
        let Some(retry) = retries(spec) else { return Vec::new() };
        let mut groups: Vec<(StrategySpec, Vec<ErrorClass>)> = Vec::new();
        for class in ErrorClass::ALL.iter().copied() {
            let Some(strategy) = retry.strategy_of(class) else { continue };
            match groups.iter_mut().find(|(of_group, _)| *of_group == *strategy) {
                Some((_, classes)) => classes.push(class),
                None => groups.push((strategy.into_owned(), vec![class])),
            }
        }
        groups
            .into_iter()
            .map(|(strategy, classes)| Self::of_strategy(&strategy, &classes, retry.max_attempts - 1))
            .collect()
    }

    fn of_strategy(strategy: &StrategySpec, classes: &[ErrorClass], retries: u32) -> Self {
        let listed = retries.min(LISTED);
        let median = median(strategy, listed);
        let mut prev = None;
        let waits = (1..=listed).zip(median).map(|(attempt, median)| {
            let WaitRange { least, most, .. } = WaitRange::of(strategy, attempt, prev);
            prev = Some(most);
            Wait { attempt, least, median: median.unwrap_or(least), most }
        });
        Self {
            waits: waits.collect(),
            classes: classes.iter().map(|class| class.as_str()).collect(),
            strategy: strategy.to_string(),
            more: retries - listed,
        }
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n{}", wrapped(&format!("after {}: {}", self.classes.join(", "), self.strategy), "  "))?;
        writeln!(out, "    {:>7}{:>16}{:>16}{:>16}", "attempt", "least", "median", "most")?;
        for Wait { attempt, least, median, most } in &self.waits {
            let [least, median, most] = [least, median, most].map(|wait| text(*wait));
            writeln!(out, "    {attempt:>7}{least:>16}{median:>16}{most:>16}")?;
        }
        if self.more > 0 {
            writeln!(out, "    and {} more", self.more)?;
        }
        Ok(())
    }
}

fn text(wait: Duration) -> String {
    if wait == Duration::MAX { "no limit".into() } else { Readable(wait).to_string() }
}

/// The median of each wait in many calls, drawn with a seed so that it is the same in each run;
/// `None` for a strategy that is code.
fn median(strategy: &StrategySpec, waits: u32) -> Vec<Option<Duration>> {
    let mut seeded = strategy.clone();
    seed_all(&mut seeded);
    let Some(strategy) = seeded.build() else { return vec![None; waits as usize] };
    let mut drawn: Vec<Vec<Duration>> = vec![Vec::with_capacity(DRAWN); waits as usize];
    for _ in 0..DRAWN {
        draw(&*strategy, &mut drawn);
    }
    drawn.iter_mut().map(|waits| Some(*waits.select_nth_unstable(DRAWN / 2).1)).collect()
}

/// Draws the waits of one call, rounded to what is printed.
fn draw(strategy: &dyn Strategy, drawn: &mut [Vec<Duration>]) {
    let (failure, now) = (Classification::new(ErrorClass::Transient), Instant::now());
    let mut prev = None;
    for (attempt, waits) in (1..).zip(drawn) {
        let mut context = BackoffContext::new(attempt, &failure, now);
        context.prev_delay = prev;
        let wait = strategy.delay(&context);
        prev = Some(wait);
        waits.push(Duration::from_millis(wait.as_millis().try_into().unwrap_or(u64::MAX)));
    }
}

fn seed_all(strategy: &mut StrategySpec) {
    match strategy {
        StrategySpec::Exponential { seed, .. } | StrategySpec::DecorrelatedJitter { seed, .. } => *seed = Some(1),
        StrategySpec::RetryAfterOr { fallback, .. } | StrategySpec::Adaptive { fallback, .. } => seed_all(fallback),
        _ => {}
    }
}
