//! What a case is: a row of the report, who stands in it, and how to run it so many times.
//!
//! Owns the types the table of cases is made of. Neither measures nor prints.

use std::fmt;
use std::hint::black_box;

/// What is measured side by side: the operation guarded in one way, whoever does it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// What `--only` selects it by, and the first part of its cases' names.
    pub(crate) key: &'static str,
    /// Its heading in the report.
    pub(crate) title: &'static str,
    /// What a reader has to know to compare fairly.
    pub(crate) note: Option<&'static str>,
    /// Whether it is measured on two threads at once, too.
    pub(crate) shared: bool,
}

/// One contender in one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) row: &'static str,
    pub(crate) who: Who,
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) reach: Reach,
    /// Makes everything that is not part of a call, and checks once that a call does what the row
    /// says.
    pub(crate) prepare: fn() -> Batch,
}

/// Runs the guarded operation so many times. Two threads may do so at once.
pub(crate) type Batch = Box<dyn Fn(u64) + Send + Sync>;

/// The batch that calls again and again. What a call returns is looked at where it lies: to move it
/// would be measured, too.
pub(crate) fn repeat<R>(call: impl Fn() -> R + Send + Sync + 'static) -> Batch {
    Box::new(move |times| {
        for _ in 0..times {
            black_box(&call());
        }
    })
}

/// The same with a state that calls might wear out: a case whose `state` no longer `holds` has not
/// measured what its row says.
pub(crate) fn repeat_while<S: Send + Sync + 'static, R>(
    state: S,
    call: impl Fn(&S) -> R + Send + Sync + 'static,
    holds: impl Fn(&S) -> bool + Send + Sync + 'static,
) -> Batch {
    Box::new(move |times| {
        for _ in 0..times {
            black_box(&call(black_box(&state)));
        }
        assert!(holds(&state), "the calls of this case have changed what it is about");
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The operation without a guard: what everything else is divided by.
    Bare,
    Redress,
    Peer,
}

/// Blocking calls are compared with blocking ones, futures with futures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Blocking,
    Async,
}

/// The limits of a case of redress. What is not set is not judged: no time is, since shared cores
/// do not repeat one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    pub(crate) instructions: Option<f64>,
    /// On two threads at once: how much of its speed alone each thread keeps.
    pub(crate) shared_percent: Option<f64>,
}

impl Case {
    pub(crate) const fn new(
        row: &'static str,
        who: Who,
        kind: Kind,
        name: &'static str,
        prepare: fn() -> Batch,
    ) -> Self {
        let reach = Reach { instructions: None, shared_percent: None };
        Self { row, who, kind, name, reach, prepare }
    }

    pub(crate) const fn within(mut self, instructions: f64) -> Self {
        self.reach.instructions = Some(instructions);
        self
    }

    pub(crate) const fn keeps(mut self, percent: f64) -> Self {
        self.reach.shared_percent = Some(percent);
        self
    }

    /// What `--case` selects it by.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}/{}", self.row, self.name, self.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blocking => "blocking",
            Self::Async => "async",
        })
    }
}
