//! The types that the table of cases is made of: a row of the report, a contender in it, and a
//! batch of its calls.

use std::fmt;
use std::hint::black_box;

/// A row of the report: the operation, guarded in one way by each contender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The name for `--only`, and the first part of its cases' names.
    pub(crate) key: &'static str,
    /// Its heading in the report.
    pub(crate) title: &'static str,
    /// A remark that a fair comparison needs.
    pub(crate) note: Option<&'static str>,
    pub(crate) setting: Setting,
}

/// Where the calls of a row are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    OneThread,
    /// On one thread, and on two at once.
    TwoThreads,
    /// Over kept-alive connections of the loopback interface, each call timed by itself.
    Sockets,
}

/// One contender in one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) row: &'static str,
    pub(crate) who: Who,
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) reach: Reach,
    /// Prepares everything that is not part of a call, and checks once that a call does what the
    /// row says.
    pub(crate) prepare: fn() -> Batch,
}

/// Runs the guarded operation the given number of times. Two threads may do so at once.
pub(crate) type Batch = Box<dyn Fn(u64) + Send + Sync>;

/// A batch that repeats one call. Reads the result of a call in place: moving it would be measured,
/// too.
pub(crate) fn repeat<R>(call: impl Fn() -> R + Send + Sync + 'static) -> Batch {
    Box::new(move |times| {
        for _ in 0..times {
            black_box(&call());
        }
    })
}

/// The same with a state that calls might change. If `holds` is false after a batch, the case has
/// not measured what its row says.
pub(crate) fn repeat_while<S: Send + Sync + 'static, R>(
    state: S,
    call: impl Fn(&S) -> R + Send + Sync + 'static,
    holds: impl Fn(&S) -> bool + Send + Sync + 'static,
) -> Batch {
    Box::new(move |times| {
        for _ in 0..times {
            black_box(&call(black_box(&state)));
        }
        assert!(holds(&state), "the calls have changed the state that this case measures");
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The operation without a guard, which all ratios are relative to.
    Bare,
    Redress,
    Peer,
}

/// The kind of call. Blocking calls are compared with blocking ones, futures with futures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Blocking,
    Async,
}

/// The limits of a case of redress; one that is not set is not judged. There is no limit on time,
/// which does not repeat on shared cores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    pub(crate) instructions: Option<f64>,
    /// On two threads at once: the share of its speed alone that each thread keeps.
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

    /// The name for `--case`.
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
