//! The table of keyed breakers.

use std::fmt::Write as _;

use super::number;
use crate::keyed::{Full, Keyed, Lookups};

pub(crate) struct KeyedReport {
    pub(crate) keyed: Vec<Keyed>,
    /// `None` if time is left out.
    pub(crate) full: Option<Full>,
}

pub(super) fn table(report: &KeyedReport) -> String {
    let mut text = "\n## A breaker for each key\n\n\
                    Breakers with the defaults, keys of 24 bytes. ns of a lookup: the best of seven rounds, for each thread; the \
                    threads look up one key, or all keys in an order that no prefetcher knows.\n\n\
                    | keys | bytes a key | allocations a key | allocations a lookup | ns, one key | on two threads | ns, all keys | on two threads |\n\
                    |--:|--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for of in &report.keyed {
        let ns = |at: fn(&Lookups) -> f64| number(of.times.as_ref().map(at), 0);
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.1} | {:.0} | {} | {} | {} | {} |",
            of.keys,
            of.bytes,
            of.allocations,
            of.of_a_lookup,
            ns(|times| times.one_key[0]),
            ns(|times| times.one_key[1]),
            ns(|times| times.spread[0]),
            ns(|times| times.spread[1]),
        );
    }
    if let Some(full) = &report.full {
        let _ = writeln!(
            text,
            "\nAt a capacity of 1,024: {:.0} ns for a new key that evicts another, {:.0} ns for one that finds no place.",
            full.evicts, full.finds_no_place
        );
    }
    text
}
