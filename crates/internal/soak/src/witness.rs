//! A breaker that wraps a real one and keeps accounts: every admission has an id and is settled
//! once.
//!
//! The real breaker makes every decision. The accounts are not locked while it does, so its races
//! stay as they are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redress_core::CircuitBreaker;
use redress_core::breaker::{Admission, Breaker, CircuitState, Report, Transition};
use redress_core::error::CircuitOpenError;
use redress_proof::{Law, Laws};

use crate::breakers::{self, Edges};
use crate::operation::Dice;

pub(crate) struct Witness {
    inner: CircuitBreaker,
    laws: &'static Laws,
    /// The transitions that the real breaker returned.
    pub(crate) edges: Edges,
    books: Mutex<Books>,
}

/// The counts of the witness.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PermitCounts {
    pub(crate) admitted: u64,
    pub(crate) reported: u64,
    pub(crate) released: u64,
    pub(crate) probes: u64,
    pub(crate) superseded: u64,
}

#[derive(Debug, Default)]
struct Books {
    held: HashMap<u64, Held>,
    /// The latest generation that was admitted.
    newest: u64,
    /// The latest generation whose admission made the circuit half-open.
    half_opened: Option<u64>,
    /// The latest generations that were reported, except those of probes known to be superseded.
    reported: BTreeSet<u64>,
    /// The latest probes by generation.
    probes: BTreeMap<u64, Probe>,
    counts: PermitCounts,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    admitted_at: Instant,
    is_out: bool,
}

/// Older probes and reports do not affect new entries.
const RECENT: usize = 256;

/// An admission that has not been settled.
#[derive(Clone, Copy, Debug)]
struct Held {
    generation: u64,
    is_probe: bool,
    /// Whether a later generation has been seen.
    is_stale: bool,
}

impl Books {
    /// Enters an admission made at `now`. Returns the id by which the call settles it and, if it is
    /// a probe beside another, the time between the two. A probe entered after the one that
    /// superseded it counts as beside that one.
    fn admit(&mut self, admission: Admission, now: Instant) -> (u64, Option<Duration>) {
        let generation = admission.generation;
        if admission.transition == Some(Transition::HalfOpened) {
            self.half_opened = self.half_opened.max(Some(generation));
        }
        let is_probe = self.is_probe(generation);
        self.newest = self.newest.max(generation);
        self.counts.admitted += 1;
        let gap = if is_probe { self.enter_probe(generation, now) } else { None };
        let id = self.counts.admitted;
        self.held.insert(id, Held { generation, is_probe, is_stale: false });
        (id, gap)
    }

    fn enter_probe(&mut self, generation: u64, now: Instant) -> Option<Duration> {
        let before = self.probes.range(..generation).next_back().filter(|(_, probe)| probe.is_out);
        let after = self.probes.range(generation..).next().filter(|(of, probe)| **of > generation || probe.is_out);
        let gaps =
            [before.map(|(_, probe)| (probe.admitted_at, now)), after.map(|(_, probe)| (now, probe.admitted_at))];
        let gap = gaps.into_iter().flatten().map(|(from, to)| to.saturating_duration_since(from)).min();
        self.probes.insert(generation, Probe { admitted_at: now, is_out: true });
        if self.probes.len() > RECENT {
            self.probes.pop_first();
        }
        self.counts.probes += 1;
        self.counts.superseded += u64::from(gap.is_some());
        gap
    }

    /// Whether an admission of this generation is a probe. From the one that made the circuit
    /// half-open, all are, until one is reported that was not superseded. That entry is made before
    /// the report, so a call that is not a probe is never taken for one. Some probes are missed, if
    /// the first of them is entered after it was superseded.
    fn is_probe(&self, generation: u64) -> bool {
        self.half_opened
            .is_some_and(|since| since <= generation && self.reported.range(since..generation).next().is_none())
    }

    fn settle(&mut self, id: u64, is_report: bool) -> Option<Held> {
        let held = self.held.remove(&id)?;
        self.counts.reported += u64::from(is_report);
        self.counts.released += u64::from(!is_report);
        if held.is_probe {
            if let Some(probe) = self.probes.get_mut(&held.generation) {
                probe.is_out = false;
            }
        }
        let is_superseded = held.is_probe && self.probes.range(held.generation + 1..).next().is_some();
        if is_report && !is_superseded {
            self.reported.insert(held.generation);
            if self.reported.len() > RECENT {
                self.reported.pop_first();
            }
        }
        Some(Held { is_stale: self.newest > held.generation, ..held })
    }
}

impl Witness {
    pub(crate) fn new(inner: CircuitBreaker, laws: &'static Laws) -> Self {
        Self { inner, laws, edges: Edges::default(), books: Mutex::default() }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counts(&self) -> PermitCounts {
        self.books().counts
    }

    fn settle(&self, admission: Admission, is_report: bool) -> Option<Held> {
        let held = self.books().settle(admission.generation, is_report);
        let whole = held.is_some() && admission.transition.is_none();
        self.laws.require(Law::PermitOnce, whole, || {
            format!("witness: {admission:?} settled (report: {is_report}), held as {held:?}")
        });
        held
    }

    fn check_stale(&self, held: Held, transition: Option<Transition>) {
        self.laws.require(Law::StaleIgnored, !(held.is_stale && transition.is_some()), || {
            format!("witness: {held:?} made {transition:?}")
        });
    }

    /// Checks after the storm that nothing is held, and that the breaker does what the reference
    /// does.
    pub(crate) fn settle_up(&self, dice: &mut Dice) {
        let PermitCounts { admitted, reported, released, .. } = self.counts();
        let settled = ("reported and released", reported + released);
        self.laws.balance(Law::PermitsBalance, "witness", ("admitted", admitted), settled);
        self.edges.check(self.laws, "witness", self.inner.state());
        let recovered = Instant::now() + self.inner.spec().recovery_timeout * 2;
        breakers::replay(&self.inner, recovered, dice, self.laws);
    }
}

impl Breaker for Witness {
    fn admit(&self, now: Instant) -> Result<Admission, CircuitOpenError> {
        let admission = self.inner.admit(now)?;
        self.edges.passed(admission.transition);
        let (id, gap) = self.books().admit(admission, now);
        let lease = self.inner.spec().lease();
        let keeps = gap.zip(lease).is_none_or(|(gap, lease)| gap >= lease) && (gap.is_none() || lease.is_some());
        self.laws.require(Law::OneProbe, keeps, || format!("witness: a probe {gap:?} after another, of {lease:?}"));
        Ok(Admission { generation: id, ..admission })
    }

    fn report(&self, admission: Admission, report: Report, now: Instant) -> Option<Transition> {
        let held = self.settle(admission, true)?;
        let inner = Admission { generation: held.generation, transition: None };
        let transition = self.inner.report(inner, report, now);
        self.edges.passed(transition);
        self.check_stale(held, transition);
        transition
    }

    fn release(&self, admission: Admission) {
        if let Some(held) = self.settle(admission, false) {
            self.inner.release(Admission { generation: held.generation, transition: None });
        }
    }

    fn state(&self) -> CircuitState {
        self.inner.state()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use redress_core::breaker::{Admission, Transition};

    use super::Books;

    const SECOND: Duration = Duration::from_secs(1);

    fn admission(generation: u64, transition: Option<Transition>) -> Admission {
        Admission { generation, transition }
    }

    #[test]
    fn probes_are_told_from_calls_through_a_closed_circuit() {
        let (mut books, now) = (Books::default(), Instant::now());
        let (early, _) = books.admit(admission(0, None), now);
        let (first, _) = books.admit(admission(2, Some(Transition::HalfOpened)), now);
        assert_eq!(books.counts.probes, 1);
        books.settle(first, false);
        let (second, gap) = books.admit(admission(4, None), now);
        assert_eq!((books.counts.probes, gap), (2, None));
        books.settle(second, true);
        books.admit(admission(5, None), now);
        assert_eq!((books.counts.probes, books.counts.superseded), (2, 0), "closed again");
        assert!(books.settle(early, true).is_some_and(|held| held.is_stale));
        assert!(books.settle(early, false).is_none(), "settled twice");
    }

    #[test]
    fn two_probes_at_a_time_are_noticed() {
        let (mut books, now) = (Books::default(), Instant::now());
        books.admit(admission(2, Some(Transition::HalfOpened)), now);
        let (_, gap) = books.admit(admission(4, None), now + SECOND);
        assert_eq!((gap, books.counts.superseded), (Some(SECOND), 1));
        let (_, gap) = books.admit(admission(3, None), now);
        assert_eq!(gap, Some(Duration::ZERO), "entered late");
    }

    #[test]
    fn a_first_probe_that_is_entered_late_makes_no_probes_of_the_calls_after_it() {
        let (mut books, now) = (Books::default(), Instant::now());
        let (second, _) = books.admit(admission(3, None), now + SECOND);
        books.settle(second, true);
        books.admit(admission(2, Some(Transition::HalfOpened)), now);
        let (closed, gap) = books.admit(admission(4, None), now + SECOND);
        assert_eq!((books.counts.probes, gap), (1, None));
        books.settle(closed, true);
        assert_eq!((books.admit(admission(4, None), now + SECOND).1, books.counts.probes), (None, 1));
    }

    #[test]
    fn a_superseded_probe_that_reports_ends_nothing() {
        let (mut books, now) = (Books::default(), Instant::now());
        let (first, _) = books.admit(admission(2, Some(Transition::HalfOpened)), now);
        let (second, _) = books.admit(admission(3, None), now + SECOND);
        books.settle(first, true);
        books.settle(second, false);
        let (_, gap) = books.admit(admission(5, None), now);
        assert_eq!((gap, books.counts.probes), (None, 3));
    }
}
