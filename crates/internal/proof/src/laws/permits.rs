//! The laws of a breaker's account: one line for each admission, rejection, report and release, in
//! the order in which they happened.

use std::collections::BTreeMap;
use std::time::Duration;

use redress_core::breaker::{CircuitState, Transition};

use super::{Law, Laws};
use crate::subject::{Line, Posting};

/// 438 years: a breaker's time ends this long after its origin, which is its first instant or up to
/// 146 years before.
pub(crate) const END_OF_TIME: Duration = Duration::from_nanos(u64::MAX - (1 << 62));

/// Checks a whole account: nothing is held at its end.
///
/// The edges and the probes are those of one probe at a time, which `is_simple` tells; the
/// reference has those of any trial.
pub(crate) fn check(ledger: &[Line], lease: Option<Duration>, is_simple: bool, laws: &Laws) {
    every_permit_comes_back_once(ledger, laws);
    if is_simple {
        the_breaker_keeps_to_its_table(ledger, laws);
        one_probe_and_no_ghosts(ledger, lease, laws);
    }
}

fn every_permit_comes_back_once(ledger: &[Line], laws: &Laws) {
    let mut out: BTreeMap<u64, i64> = BTreeMap::new();
    for line in ledger {
        match line.entry {
            Posting::Admitted(admission) => *out.entry(admission.generation).or_default() += 1,
            Posting::Reported(generation, ..) | Posting::Released(generation) => {
                let left = out.entry(generation).or_default();
                *left -= 1;
                laws.require(Law::PermitOnce, *left >= 0, || format!("a permit of {generation} came back twice"));
            }
            Posting::Rejected => {}
        }
    }
    let whole = out.values().all(|left| *left == 0);
    laws.require(Law::PermitsBalance, whole, || format!("permits are still out: {out:?}"));
}

fn the_breaker_keeps_to_its_table(ledger: &[Line], laws: &Laws) {
    use CircuitState::{Closed, HalfOpen, Open};
    for Line { entry, before, after, .. } in ledger {
        let edge = (*before, *after);
        let holds = match entry {
            Posting::Admitted(admission) => match admission.transition {
                None => matches!(edge, (Closed, Closed) | (HalfOpen, HalfOpen)),
                transition => transition == Some(Transition::HalfOpened) && edge == (Open, HalfOpen),
            },
            Posting::Rejected => matches!(edge, (Open, Open) | (HalfOpen, HalfOpen)),
            Posting::Reported(_, None) | Posting::Released(_) => before == after,
            Posting::Reported(_, Some(Transition::Opened)) => matches!(edge, (Closed | HalfOpen, Open)),
            Posting::Reported(_, Some(Transition::Closed)) => edge == (HalfOpen, Closed),
            Posting::Reported(..) => false,
        };
        laws.require(Law::Edges, holds, || format!("{entry:?} went from {before:?} to {after:?}"));
    }
}

/// One current probe at a time. The first call after the end of its lease becomes the next probe.
/// Nothing from before the last change of state or the last probe has any effect.
fn one_probe_and_no_ghosts(ledger: &[Line], lease: Option<Duration>, laws: &Laws) {
    let mut probe: Option<(u64, Duration)> = None;
    let mut present = None;
    for Line { at, entry, before, after } in ledger {
        let is_over = probe.zip(lease).is_some_and(|((_, since), lease)| *at - since >= lease);
        match entry {
            Posting::Admitted(admission) if *after == CircuitState::HalfOpen => {
                // At the end of time every wait is over.
                let may_be = probe.is_none() || is_over || (lease.is_some() && *at >= END_OF_TIME);
                laws.require(Law::OneProbe, may_be, || format!("{admission:?} at {at:?} is a probe beside {probe:?}"));
                probe = Some((admission.generation, *at));
                present = Some(admission.generation);
            }
            Posting::Admitted(admission) => present = Some(admission.generation),
            Posting::Rejected => {
                laws.require(Law::NoWedge, !is_over, || format!("rejected at {at:?} for the sake of {probe:?}"));
            }
            Posting::Reported(generation, ..) | Posting::Released(generation) => {
                let is_present = present == Some(*generation);
                let transition = if let Posting::Reported(_, transition) = entry { *transition } else { None };
                let is_ignored = transition.is_none() && before == after;
                laws.require(Law::StaleIgnored, is_present || is_ignored, || format!("{entry:?} is from before"));
                if probe.is_some_and(|(current, _)| current == *generation) {
                    probe = None;
                    present = None;
                } else if transition.is_some() {
                    present = None;
                }
            }
        }
    }
    laws.require(Law::NoWedge, probe.is_none(), || format!("the place of {probe:?} was not given back"));
}
