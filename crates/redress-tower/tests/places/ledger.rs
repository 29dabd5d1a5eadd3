//! The books: how far each call is, and who holds how many of the limit's places.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Where a call is, as seen from below and by its classifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not polled yet.
    #[default]
    New,
    /// Waits for readiness or for an answer.
    Attempting,
    /// An attempt has ended, and the next one has not begun.
    Waiting,
    /// Over, or dropped; its future may be there still.
    Over,
}

/// Who holds a place: a call, or the worker of a buffer, which serves all calls.
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

    /// Runs `step` as a part of this call.
    pub(crate) fn within<R>(&self, call: usize, step: impl FnOnce() -> R) -> R {
        self.0.lock().unwrap().polled = Some(call);
        let result = step();
        self.0.lock().unwrap().polled = None;
        result
    }

    /// The call that runs now; none where the worker of a buffer does.
    pub(crate) fn running(&self) -> Option<usize> {
        self.0.lock().unwrap().polled
    }

    pub(crate) fn set_phase(&self, call: usize, phase: Phase) {
        self.0.lock().unwrap().calls[call].0 = phase;
    }

    /// The call that runs now has begun an attempt, or goes on with it.
    pub(crate) fn attempts(&self) {
        if let Some(call) = self.running() {
            self.set_phase(call, Phase::Attempting);
        }
    }

    /// The attempt of the call that runs now has failed.
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

    /// A place of the limit is taken by what runs now.
    pub(crate) fn hold(&self) -> Held {
        self.hold_for(self.running().map_or(Holder::Worker, Holder::Call))
    }

    pub(crate) fn hold_for(&self, holder: Holder) -> Held {
        *self.0.lock().unwrap().held.entry(holder).or_default() += 1;
        Held { ledger: self.clone(), holder }
    }
}

/// A place that is taken, until this is dropped.
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
