//! Measures how much of its speed a thread keeps when a second thread uses the same breaker or
//! budget, each on a separate core.
//!
//! A thread is compared with itself alone on the same core, in the same round.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use core_affinity::CoreId;
use tokio::runtime::Handle;

use crate::allocations::uncounted;
use crate::case::Batch;
use crate::timing::calls_within;

/// The time that each thread runs, alone and together.
const TURN: Duration = Duration::from_millis(4);

/// The time between two readings of the flag that ends the turn.
const STRIDE: Duration = Duration::from_micros(20);

/// The results of two threads, as medians of all rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sharing {
    /// Nanoseconds per call of the slower thread while both run.
    pub(crate) nanoseconds: f64,
    /// The share of its speed alone that each thread keeps, in percent.
    pub(crate) percents: [f64; 2],
}

/// Two cores, if this process may use two.
pub(crate) fn two_cores() -> Option<[CoreId; 2]> {
    match core_affinity::get_core_ids()?.as_slice() {
        [first, .., last] => Some([*first, *last]),
        _ => None,
    }
}

pub(crate) fn share(batch: &Batch, cores: [CoreId; 2], rounds: usize) -> Sharing {
    let stride = calls_within(batch, STRIDE);
    let mut kept = [Vec::new(), Vec::new()];
    let mut slower = Vec::new();
    for _ in 0..rounds {
        let alone = cores.map(|core| rates(batch, stride, &[core])[0]);
        let together = rates(batch, stride, &cores);
        for thread in 0..2 {
            kept[thread].push(100.0 * together[thread] / alone[thread]);
        }
        slower.push(1e9 / together[0].min(together[1]));
    }
    Sharing { nanoseconds: median(slower), percents: kept.map(median) }
}

/// Calls per second of one thread on each core, all at the same time.
fn rates(batch: &Batch, stride: u64, cores: &[CoreId]) -> Vec<f64> {
    let (ready, over) = (Barrier::new(cores.len() + 1), AtomicBool::new(false));
    let runtime = Handle::current();
    let work = |core: CoreId| {
        let _inside = runtime.enter();
        core_affinity::set_for_current(core);
        batch(stride);
        ready.wait();
        let (started, mut calls) = (Instant::now(), 0);
        uncounted(|| {
            while !over.load(Ordering::Relaxed) {
                batch(stride);
                calls += stride;
            }
        });
        calls as f64 / started.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = cores.iter().map(|core| scope.spawn(move || work(*core))).collect();
        ready.wait();
        thread::sleep(TURN);
        over.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().expect("a batch does not panic")).collect()
    })
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
