//! The laws that must hold, how often each was checked, and the figures of the first breaches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A law that must hold during a storm, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
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

impl Law {
    pub(crate) const ALL: [Self; 22] = [
        Self::CallsEnd,
        Self::OneTerminal,
        Self::Capped,
        Self::InTime,
        Self::HintsFloor,
        Self::AttemptsEnd,
        Self::PermitOnce,
        Self::PermitsBalance,
        Self::BudgetWindow,
        Self::Tokens,
        Self::Edges,
        Self::OneProbe,
        Self::NoWedge,
        Self::StaleIgnored,
        Self::HeardOnce,
        Self::Timelines,
        Self::NothingKept,
        Self::Panics,
        Self::OwnBreaker,
        Self::MayFinish,
        Self::TimeLeft,
        Self::Memory,
    ];

    /// The id of the invariant, if the reliability page lists it.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::OneTerminal => "R3",
            Self::Capped => "R1",
            Self::InTime => "R2",
            Self::PermitOnce => "R4",
            Self::PermitsBalance => "C4",
            Self::BudgetWindow => "B1",
            Self::Edges => "C1",
            Self::OneProbe => "C2",
            Self::NoWedge => "C3",
            Self::StaleIgnored => "C5",
            _ => "",
        }
    }

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::CallsEnd => "calls = ended + cancelled + panicked",
            Self::OneTerminal => "a call has one terminal event: for its reason, or `cancelled`",
            Self::Capped => "attempts never exceed the cap",
            Self::InTime => "no attempt starts, and no wait ends, at or past the deadline",
            Self::HintsFloor => "no wait is shorter than the failure's hint",
            Self::AttemptsEnd => "attempts started = ended + cut short, and each ran the operation once",
            Self::PermitOnce => "a permit is reported or released, once",
            Self::PermitsBalance => "permits admitted = reported + released",
            Self::BudgetWindow => "no window of a budget holds more grants than its limit",
            Self::Tokens => "every token comes back, and a retry takes one",
            Self::Edges => "breakers keep to their table, and observers receive every transition once",
            Self::OneProbe => "one current probe at a time: the next when it has ended, or its lease is over",
            Self::NoWedge => "after recovery a success closes the circuit, even if probes are kept",
            Self::StaleIgnored => "a result from before the last change of state changes nothing",
            Self::HeardOnce => "a learning strategy is notified of a success once",
            Self::Timelines => "a timeline holds the events in order, with one end for each call",
            Self::NothingKept => "nothing that went into a call outlives it",
            Self::Panics => "no panic except intended ones",
            Self::OwnBreaker => "the events of a call name the breaker of its policy",
            Self::MayFinish => "an attempt that may finish is not cut",
            Self::TimeLeft => "an operation receives exactly the time it has left",
            Self::Memory => "memory stays flat",
        }
    }
}

/// How often each law was checked and broken.
#[derive(Debug, Default)]
pub(crate) struct Laws {
    looked: [AtomicU64; Law::ALL.len()],
    broken: [AtomicU64; Law::ALL.len()],
    examples: Mutex<Vec<(Law, String)>>,
}

/// The breaches kept for each law: the first ones show the cause, the rest follow from them.
const EXAMPLES: u64 = 3;

impl Laws {
    /// Checks a law; `figures` describes a breach.
    pub(crate) fn require(&self, law: Law, holds: bool, figures: impl FnOnce() -> String) {
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
    pub(crate) fn balance(&self, law: Law, whose: &str, left: (&str, u64), right: (&str, u64)) {
        let figures = || format!("{whose}: {} {} against {} {}", left.0, left.1, right.0, right.1);
        self.require(law, left.1 == right.1, figures);
    }

    pub(crate) fn looked(&self, law: Law) -> u64 {
        self.looked[law as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn broken(&self, law: Law) -> u64 {
        self.broken[law as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn all_hold(&self) -> bool {
        Law::ALL.into_iter().all(|law| self.broken(law) == 0)
    }

    pub(crate) fn examples(&self, law: Law) -> Vec<String> {
        let examples = self.examples.lock().unwrap_or_else(PoisonError::into_inner);
        examples.iter().filter(|(of, _)| *of == law).map(|(_, figures)| figures.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Law, Laws};

    #[test]
    fn a_law_that_is_broken_once_is_broken() {
        let laws = Laws::default();
        laws.balance(Law::PermitsBalance, "witness", ("admitted", 3), ("settled", 3));
        assert!(laws.all_hold());
        laws.balance(Law::PermitsBalance, "witness", ("admitted", 3), ("settled", 2));
        assert!(!laws.all_hold());
        assert_eq!((laws.looked(Law::PermitsBalance), laws.broken(Law::PermitsBalance)), (2, 1));
        assert_eq!(laws.examples(Law::PermitsBalance), ["witness: admitted 3 against settled 2"]);
    }

    #[test]
    fn the_list_is_in_declaration_order() {
        for (index, law) in Law::ALL.into_iter().enumerate() {
            assert_eq!(law as usize, index);
        }
    }
}
