//! The watchdog: every caller has a pulse, and the program ends if one stops.
//!
//! A thread that hangs cannot be stopped, so the process is.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::scene::Scene;

/// The interval between two looks of the watchdog.
const GLANCE: Duration = Duration::from_millis(250);

/// The looks that a caller may take for one round: half a minute, where a round takes some tens of
/// milliseconds. Counts looks, not time, so that a pause of the whole machine raises no alarm.
const PATIENCE: u32 = 120;

/// The exit code of a storm with a caller that hangs.
const HANGS: i32 = 3;

/// The progress of a caller.
#[derive(Debug)]
pub(crate) struct Pulse {
    name: String,
    place: AtomicUsize,
    rounds: AtomicU64,
    is_over: AtomicBool,
}

impl Pulse {
    pub(crate) fn new(name: String) -> Self {
        Self { name, place: AtomicUsize::new(0), rounds: AtomicU64::new(0), is_over: AtomicBool::new(false) }
    }

    /// Begins a round with the subject at this place.
    pub(crate) fn beat(&self, place: usize) {
        self.place.store(place, Ordering::Relaxed);
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }

    /// Marks the caller as running until the value is dropped, also by a panic.
    pub(crate) fn shift(&self) -> Shift<'_> {
        Shift(self)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    pub(crate) fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }
}

/// Marks the end of a caller when dropped.
pub(crate) struct Shift<'a>(&'a Pulse);

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Release);
    }
}

/// The watchdog's record of a caller.
struct Watched {
    pulse: &'static Pulse,
    rounds: u64,
    silent_looks: u32,
}

impl Watched {
    fn look(&mut self) {
        let rounds = self.pulse.rounds();
        let is_silent = rounds == self.rounds && !self.pulse.is_over();
        self.silent_looks = if is_silent { self.silent_looks + 1 } else { 0 };
        self.rounds = rounds;
    }

    fn hangs(&self) -> bool {
        self.silent_looks > PATIENCE
    }
}

/// Watches the callers from a separate thread, until the program ends.
pub(crate) fn watch(scene: &'static Scene, pulses: &'static [Pulse]) {
    let watched = |pulse| Watched { pulse, rounds: 0, silent_looks: 0 };
    let mut callers: Vec<_> = pulses.iter().map(watched).collect();
    thread::spawn(move || {
        loop {
            thread::sleep(GLANCE);
            callers.iter_mut().for_each(Watched::look);
            if callers.iter().any(Watched::hangs) {
                report(scene, &callers);
                process::exit(HANGS);
            }
        }
    });
}

fn report(scene: &Scene, callers: &[Watched]) {
    eprintln!("seed {}: these callers hang, each for more than {:?}:", scene.seed, GLANCE * PATIENCE);
    for Watched { pulse, rounds, .. } in callers.iter().filter(|caller| caller.hangs()) {
        let subject = scene.subjects.get(pulse.place.load(Ordering::Relaxed));
        let subject = subject.map_or("?", |subject| subject.census.terms.name);
        eprintln!("  {}, in round {rounds}, with `{subject}`", pulse.name);
    }
}
