//! What a case is: a row of the report, who stands in it, and how to run it so many times.
//!
//! Owns the types the table of cases is made of. Neither measures nor prints.

/// What is measured side by side: the operation guarded in one way, whoever does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// What `--only` selects it by, and the first part of its cases' names.
    pub(crate) key: &'static str,
    /// Its heading in the report.
    pub(crate) title: &'static str,
    /// Whether it is measured on two threads at once, too.
    pub(crate) shared: bool,
}

/// What a case of redress is to stay within. A figure that is not set is not judged.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reach {
    pub(crate) instructions: Option<u64>,
    pub(crate) nanoseconds: Option<f64>,
    /// With two threads at once: nanoseconds a call.
    pub(crate) shared_nanoseconds: Option<f64>,
    /// With two threads at once: how much of its speed alone each keeps, in percent.
    pub(crate) shared_percent: Option<f64>,
}

/// Runs the guarded operation so many times. It may be run by two threads at once.
pub(crate) type Batch = Box<dyn Fn(u64) + Send + Sync>;

/// One contender in one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) row: &'static str,
    pub(crate) name: &'static str,
    pub(crate) who: Who,
    pub(crate) reach: Reach,
    /// Makes everything that is not part of a call, and checks once that a call does what the row says.
    pub(crate) prepare: fn() -> Batch,
}

/// How a case is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The operation without a guard: what everything else is divided by.
    Bare,
    Redress,
    Peer,
}

impl Case {
    pub(crate) const fn bare(row: &'static str, name: &'static str, prepare: fn() -> Batch) -> Self {
        Self { row, name, who: Who::Bare, reach: Reach::NONE, prepare }
    }

    pub(crate) const fn redress(row: &'static str, name: &'static str, prepare: fn() -> Batch) -> Self {
        Self { row, name, who: Who::Redress, reach: Reach::NONE, prepare }
    }

    pub(crate) const fn peer(row: &'static str, name: &'static str, prepare: fn() -> Batch) -> Self {
        Self { row, name, who: Who::Peer, reach: Reach::NONE, prepare }
    }

    pub(crate) const fn within(mut self, instructions: u64) -> Self {
        self.reach.instructions = Some(instructions);
        self
    }

    pub(crate) const fn takes(mut self, nanoseconds: f64) -> Self {
        self.reach.nanoseconds = Some(nanoseconds);
        self
    }

    pub(crate) const fn keeps(mut self, percent: f64) -> Self {
        self.reach.shared_percent = Some(percent);
        self
    }

    pub(crate) const fn takes_shared(mut self, nanoseconds: f64) -> Self {
        self.reach.shared_nanoseconds = Some(nanoseconds);
        self
    }

    /// What `--case` selects it by.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.row, self.name)
    }
}

impl Reach {
    const NONE: Self =
        Self { instructions: None, nanoseconds: None, shared_nanoseconds: None, shared_percent: None };
}
