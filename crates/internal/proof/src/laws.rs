//! The laws that must hold, how often each was checked, and the figures of the first breaches.
//!
//! `call.rs` holds the laws of one call, `permits.rs` those of a breaker's account, `spending.rs`
//! that of a budget's grants, and `case.rs` applies them to a case played in virtual time. Storms
//! apply them to calls of real threads.

pub(crate) mod call;
pub(crate) mod case;
pub(crate) mod permits;
pub(crate) mod spending;

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A law. Those with an id are the invariants of the reliability page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`text` says what each one requires")]
pub enum Law {
    CallsEnd,
    OneTerminal,
    Capped,
    InTime,
    HintsFloor,
    AttemptsEnd,
    PermitOnce,
    PermitsBalance,
    BudgetWindow,
    Tokens,
    Edges,
    OneProbe,
    NoWedge,
    StaleIgnored,
    HeardOnce,
    Timelines,
    NothingKept,
    Panics,
    OwnBreaker,
    MayFinish,
    TimeLeft,
    Memory,
}

/// Every law in declaration order, with its id if it has one, and its text.
const TEXTS: [(Law, &str, &str); 22] = [
    (Law::CallsEnd, "", "calls = ended + cancelled + panicked"),
    (Law::OneTerminal, "R3", "a call has one terminal event: for its reason, or `cancelled`"),
    (Law::Capped, "R1", "attempts never exceed the cap"),
    (Law::InTime, "R2", "no attempt starts, and no wait ends, at or past the deadline"),
    (Law::HintsFloor, "", "no wait is shorter than the failure's hint"),
    (Law::AttemptsEnd, "", "attempts started = ended + cut short, and each ran the operation once"),
    (Law::PermitOnce, "R4", "a permit is reported or released, once"),
    (Law::PermitsBalance, "C4", "permits admitted = reported + released"),
    (Law::BudgetWindow, "B1", "no window of a budget holds more grants than its limit"),
    (Law::Tokens, "", "every token comes back, and a retry takes one"),
    (Law::Edges, "C1", "breakers keep to their table, and observers receive every transition once"),
    (Law::OneProbe, "C2", "one current probe at a time: the next when it has ended, or its lease is over"),
    (Law::NoWedge, "C3", "after recovery a success closes the circuit, even if probes are kept"),
    (Law::StaleIgnored, "C5", "a result from before the last change of state changes nothing"),
    (Law::HeardOnce, "", "a learning strategy is notified of a success once"),
    (Law::Timelines, "", "a timeline holds the events in order, with one end for each call"),
    (Law::NothingKept, "", "nothing that went into a call outlives it"),
    (Law::Panics, "", "no panic except intended ones"),
    (Law::OwnBreaker, "", "the events of a call name the breaker of its policy"),
    (Law::MayFinish, "", "an attempt that may finish is not cut"),
    (Law::TimeLeft, "", "an operation receives exactly the time it has left"),
    (Law::Memory, "", "memory stays flat"),
];

/// How often each law was checked and broken.
#[derive(Debug, Default)]
pub struct Laws {
    looked: [AtomicU64; TEXTS.len()],
    broken: [AtomicU64; TEXTS.len()],
    examples: Mutex<Vec<(Law, String)>>,
}

/// The breaches kept for each law: the first ones show the cause, the rest follow from them.
const EXAMPLES: u64 = 3;

impl Laws {
    /// Checks a law; `figures` describes a breach.
    pub fn require(&self, law: Law, holds: bool, figures: impl FnOnce() -> String) {
        self.looked[law as usize].fetch_add(1, Ordering::Relaxed);
        if !holds {
            self.breach(law, figures());
        }
    }

    #[cold]
    fn breach(&self, law: Law, figures: String) {
        if self.broken[law as usize].fetch_add(1, Ordering::Relaxed) < EXAMPLES {
            self.examples.lock().unwrap_or_else(PoisonError::into_inner).push((law, figures));
        }
    }

    /// The same for two figures that must agree.
    pub fn balance(&self, law: Law, whose: &str, left: (&str, u64), right: (&str, u64)) {
        let figures = || format!("{whose}: {} {} against {} {}", left.0, left.1, right.0, right.1);
        self.require(law, left.1 == right.1, figures);
    }

    /// The number of breaches of a law.
    #[must_use]
    pub fn broken(&self, law: Law) -> u64 {
        self.broken[law as usize].load(Ordering::Relaxed)
    }

    /// Whether no law was broken.
    #[must_use]
    pub fn all_hold(&self) -> bool {
        TEXTS.iter().all(|(law, ..)| self.broken(*law) == 0)
    }

    /// Every law, with the number of its checks, and the breaches.
    #[must_use]
    pub fn verdict(&self) -> String {
        let looked = |law| self.looked[law as usize].load(Ordering::Relaxed);
        let mut text = String::new();
        for (law, id, says) in TEXTS {
            let _ = writeln!(text, "{:>12} x {id:>2}  {says}", looked(law));
        }
        text + &self.breaches()
    }

    /// The laws that were broken, with the figures of the first breaches.
    #[must_use]
    pub fn breaches(&self) -> String {
        let examples = self.examples.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (law, id, says) in TEXTS.into_iter().filter(|(law, ..)| self.broken(*law) > 0) {
            let _ = writeln!(text, "BROKEN {} times: {id} {says}", self.broken(law));
            for (_, figures) in examples.iter().filter(|(of, _)| *of == law) {
                let _ = writeln!(text, "  - {figures}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Law, Laws, TEXTS};

    #[test]
    fn a_law_that_is_broken_once_is_broken() {
        let laws = Laws::default();
        laws.balance(Law::PermitsBalance, "witness", ("admitted", 3), ("settled", 3));
        assert!(laws.all_hold());
        laws.balance(Law::PermitsBalance, "witness", ("admitted", 3), ("settled", 2));
        assert!(!laws.all_hold());
        assert_eq!(laws.broken(Law::PermitsBalance), 1);
        assert!(laws.verdict().contains("witness: admitted 3 against settled 2"));
    }

    #[test]
    fn the_list_is_in_declaration_order() {
        assert!(TEXTS.iter().enumerate().all(|(index, (law, ..))| *law as usize == index));
    }
}
