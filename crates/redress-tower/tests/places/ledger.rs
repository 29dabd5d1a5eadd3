//! The bookkeeping: the state of each call, and the places of the limit that each holder has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The state of a call, as the inner service and the classifier see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not polled yet.
    #[default]
    New,
    /// Waits for readiness or for a response.
    Attempting,
    /// An attempt has ended, and the next one has not begun.
    Waiting,
    /// Over, or dropped; its future may still exist.
    Over,
}

/// The holder of a place: a call, or the worker of a buffer, which serves all calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    Call(usize),
    Worker,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Books>>);

#[derive(Debug, Default)]
struct Books {
    polled: Option<usize>,
    calls: Vec<(Phase, usize)>,
    held: BTreeMap<Holder, usize>,
}

impl Ledger {
    pub(crate) fn new(calls: usize) -> Self {
        let books = Books { calls: vec![Default::default(); calls], ..Books::default() };
        Self(Arc::new(Mutex::new(books)))
    }

    /// Runs `step` as part of this call.
    pub(crate) fn within<R>(&self, call: usize, step: impl FnOnce() -> R) -> R {
        self.0.lock().unwrap().polled = Some(call);
        let result = step();
        self.0.lock().unwrap().polled = None;
        result
    }

    /// The call that runs now; `None` in the worker of a buffer.
    pub(crate) fn running(&self) -> Option<usize> {
        self.0.lock().unwrap().polled
    }

    pub(crate) fn set_phase(&self, call: usize, phase: Phase) {
        self.0.lock().unwrap().calls[call].0 = phase;
    }

    /// Records that the running call starts or continues an attempt.
    pub(crate) fn attempts(&self) {
        if let Some(call) = self.running() {
            self.set_phase(call, Phase::Attempting);
        }
    }

    /// Records that the running call's attempt has failed.
    pub(crate) fn failed(&self) {
        let mut books = self.0.lock().unwrap();
        if let Some(call) = books.polled {
            books.calls[call].0 = Phase::Waiting;
            books.calls[call].1 += 1;
        }
    }

    pub(crate) fn failures(&self, call: usize) -> usize {
        self.0.lock().unwrap().calls[call].1
    }

    pub(crate) fn phases(&self) -> Vec<Phase> {
        self.0.lock().unwrap().calls.iter().map(|(phase, _)| *phase).collect()
    }

    pub(crate) fn held_by(&self, holder: Holder) -> usize {
        self.0.lock().unwrap().held.get(&holder).copied().unwrap_or_default()
    }

    pub(crate) fn held(&self) -> usize {
        self.0.lock().unwrap().held.values().sum()
    }

    /// Records that the running task takes a place of the limit.
    pub(crate) fn hold(&self) -> Held {
        self.hold_for(self.running().map_or(Holder::Worker, Holder::Call))
    }

    pub(crate) fn hold_for(&self, holder: Holder) -> Held {
        *self.0.lock().unwrap().held.entry(holder).or_default() += 1;
        Held { ledger: self.clone(), holder }
    }
}

/// A place that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    ledger: Ledger,
    holder: Holder,
}

impl Drop for Held {
    fn drop(&mut self) {
        *self.ledger.0.lock().unwrap().held.get_mut(&self.holder).unwrap() -= 1;
    }
}
