//! [`Replayed`]: what the runs of a replay show, with ranges.

use std::cmp::Ordering;
use std::time::{Duration, SystemTime};

use super::counts::Counts;
use super::log::{Facts, Replay, printable, span};
use crate::clock::Nanos;

/// What became of recorded calls under another policy. `Display` writes it for a terminal of 80
/// columns.
///
/// Where something was drawn, there is no single number: [`likely`](Self::likely) returns a range,
/// and [`all_fail`](Self::all_fail) and [`all_succeed`](Self::all_succeed) say what if every
/// attempt that the log lacks had the same end.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a replay has no other effect"]
pub struct Replayed {
    pub(super) label: String,
    pub(super) facts: Told,
    pub(super) recorded: Counts,
    runs: Vec<Counts>,
    bounds: [Counts; 2],
    certainty: Certainty,
}

/// What a result rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Certainty {
    /// Nothing was drawn: every run gives the same.
    Certain,
    /// No attempt was drawn. The range is that of the policy's own random choices, such as waits
    /// with jitter.
    Policy,
    /// Attempts that the log lacks were drawn.
    Drawn,
}

/// What is told of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) from_us: u64,
    pub(crate) until_us: u64,
    pub(crate) period: Nanos,
    pub(crate) breakers: usize,
    /// Sentences on what the log lacks.
    pub(crate) limits: Vec<String>,
}

impl Replayed {
    pub(super) fn new(replay: &Replay, runs: Vec<Counts>, bounds: [Counts; 2]) -> Self {
        let is_drawn = runs.iter().any(|run| run.drawn > 0);
        let Facts { from_us, until_us, period, breakers, .. } = replay.facts;
        let name = replay.facts.policy.as_deref().map_or_else(|| "calls".to_owned(), printable);
        let limits = replay.facts.limits();
        Self {
            label: "the policy".to_owned(),
            facts: Told { name, from_us, until_us, period, breakers, limits },
            recorded: replay.recorded.clone(),
            runs,
            bounds,
            certainty: if is_drawn { Certainty::Drawn } else { Certainty::Policy },
        }
    }

    pub(super) fn certain(mut self) -> Self {
        self.certainty = Certainty::Certain;
        self
    }

    /// Names the policy in summaries, comparisons and pages. Default: `the policy`.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The name of the policy, as [`label`](Self::label) set it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.label
    }

    /// What the log says of the calls.
    #[must_use]
    pub const fn recorded(&self) -> &Counts {
        &self.recorded
    }

    /// What each run counted. One run is enough if the result is [certain](Certainty::Certain).
    #[must_use]
    pub fn runs(&self) -> &[Counts] {
        &self.runs
    }

    /// The run in which every attempt that the log lacks failed.
    ///
    /// Such a run has the fewest successes if calls do not act on each other. A breaker or a budget
    /// lets them do so, and then a run in which some of these attempts succeed may have fewer.
    #[must_use]
    pub const fn all_fail(&self) -> &Counts {
        &self.bounds[0]
    }

    /// The run in which every attempt that the log lacks succeeded; see
    /// [`all_fail`](Self::all_fail).
    #[must_use]
    pub const fn all_succeed(&self) -> &Counts {
        &self.bounds[1]
    }

    /// What the result rests on.
    #[must_use]
    pub const fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// The range of a count that is likely: from the 5th to the 95th percentile of the runs.
    ///
    /// ```
    /// # use redress::Policy;
    /// # use redress_sim::Recording;
    /// # let journal = r#"{"v":1,"at_us":0,"outcome":"success","made":1,"attempts":[{"start_us":0,"took_us":640}]}"#;
    /// # let mut recording = Recording::new();
    /// # recording.read("calls.jsonl", journal.as_bytes())?;
    /// # let replay = recording.replay(None)?;
    /// let replayed = replay.run(&Policy::http().build()?.spec())?;
    /// let (least, most) = replayed.likely(|counts| counts.good as f64 / counts.calls as f64);
    /// assert_eq!((least, most), (1.0, 1.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn likely<T: PartialOrd + Copy>(&self, of: impl Fn(&Counts) -> T) -> (T, T) {
        let mut found: Vec<T> = self.runs.iter().map(of).collect();
        found.sort_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
        let last = found.len() - 1;
        // The nearest ranks.
        let low = found.len().div_ceil(20) - 1;
        (found[low], found[last - low])
    }

    /// The recorded counts and those of all runs.
    pub(super) fn all(&self) -> impl Iterator<Item = &Counts> {
        [&self.recorded].into_iter().chain(&self.runs).chain(&self.bounds)
    }

    /// When the first call began, and after which time the last one did.
    #[must_use]
    pub fn span(&self) -> (SystemTime, Duration) {
        span(self.facts.from_us, self.facts.until_us)
    }

    /// The length of a [period](Counts::periods).
    #[must_use]
    pub const fn period(&self) -> Duration {
        Duration::from_nanos(self.facts.period)
    }
}
