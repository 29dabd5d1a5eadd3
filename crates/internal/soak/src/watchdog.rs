//! Who is still alive: every caller has a pulse, and one that stops ends the program.
//!
//! Owns the pulses and the patience. A thread that hangs cannot be stopped, so the process is.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::scene::Scene;

/// How often the watchdog looks.
const GLANCE: Duration = Duration::from_millis(250);

/// How many looks a caller may go without a new round: half a minute, where a round takes some tens
/// of milliseconds. Looks are counted and not time, so that a machine that stops altogether for a
/// while raises no alarm.
const PATIENCE: u32 = 120;

/// The exit code of a storm with a caller that hangs.
const HANGS: i32 = 3;

/// How far a caller has come.
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

    /// A round begins, with the subject at this place.
    pub(crate) fn beat(&self, place: usize) {
        self.place.store(place, Ordering::Relaxed);
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }

    /// The caller is at work until this is dropped, by a panic if it has to be.
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

/// A caller's time at work.
pub(crate) struct Shift<'a>(&'a Pulse);

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Release);
    }
}

/// What the watchdog remembers of a caller.
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

/// Looks after the callers from a thread of its own, for as long as the program runs.
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
        let subject = subject.map_or("?", |subject| subject.terms().name);
        eprintln!("  {}, in round {rounds}, with `{subject}`", pulse.name);
    }
}
