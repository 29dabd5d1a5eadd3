//! The checks, one a file. Each reads a [`Subject`] and adds its findings.

mod budget_in_time;
mod extra_load;
mod false_trips;
mod held_probe;
mod late_recovery;
mod layers;
mod no_jitter;
mod out_of_reach;
mod part_of_a_token;
pub(crate) mod refused;
mod unbudgeted;
pub(crate) mod without_effect;
mod worst_calls;
mod worst_time;

use crate::finding::Finding;
use crate::subject::Subject;

/// Every check but that of `refused`, which runs first.
pub(crate) const ALL: &[fn(&Subject<'_>, &mut Vec<Finding>)] = &[
    worst_time::check,
    worst_calls::check,
    extra_load::check,
    layers::check,
    unbudgeted::check,
    budget_in_time::check,
    part_of_a_token::check,
    without_effect::check,
    out_of_reach::check,
    false_trips::check,
    no_jitter::check,
    held_probe::check,
    late_recovery::check,
];
