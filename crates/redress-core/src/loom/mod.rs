//! Models of the shared cells under loom, which explores every interleaving of a few threads.
//! Compiled with `--cfg loom` only; run by `cargo xtask models`.
//!
//! This file contains the exploration; there is one file of models for each cell. Time in a model
//! is a few instants, passed in.
//!
//! The exploration is bounded by preemptions, the switches away from a thread that could continue:
//! `LOOM_MAX_PREEMPTIONS`, 3 unless set. Nearly all known concurrency bugs need two or fewer
//! (Musuvathi and Qadeer, "Iterative Context Bounding for Systematic Testing of Multithreaded
//! Programs", PLDI 2007).

mod atomic;

mod abort;
mod breaker;
mod budget;
mod calls;
mod counting;
mod keyed;
mod reconfigure;
mod recording;
mod strategies;

pub(crate) use self::atomic::AtomicU64;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use loom::sync::atomic::AtomicU32;
use loom::thread;

/// Runs a model through all its interleavings, and prints their number.
fn explore(name: &str, model: impl Fn() + Send + Sync + 'static) {
    explore_within(0, name, model);
}

/// The same with one preemption less, for three threads that all take several steps: with two
/// preemptions such a model takes more than 100 s.
fn explore_less(name: &str, model: impl Fn() + Send + Sync + 'static) {
    explore_within(1, name, model);
}

fn explore_within(fewer: usize, name: &str, model: impl Fn() + Send + Sync + 'static) {
    let interleavings = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&interleavings);
    let mut explorer = loom::model::Builder::new();
    let bound = explorer.preemption_bound.unwrap_or(3) - fewer;
    explorer.preemption_bound = Some(bound);
    explorer.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!("model: {name}: {} interleavings, at most {bound} preemptions", interleavings.load(Ordering::Relaxed));
}

/// Runs these concurrently, the first on the model's main thread, and waits for all of them.
fn at_once<A, B>(own: impl FnOnce() -> A, others: Vec<B>) -> A
where
    B: FnOnce() + 'static,
{
    let threads: Vec<_> = others.into_iter().map(thread::spawn).collect();
    let answer = own();
    for thread in threads {
        thread.join().expect("a thread of the model does not panic");
    }
    answer
}

/// Instants of a model, as seconds after its start.
#[derive(Clone, Copy)]
struct Timeline(Instant);

impl Timeline {
    fn new() -> Self {
        Self(Instant::now())
    }

    fn at(self, seconds: u64) -> Instant {
        self.0 + Duration::from_secs(seconds)
    }
}

/// Counts the running probes. It is a loom atomic, so that the checker explores every order of
/// increments and decrements.
#[derive(Default)]
struct Probing(AtomicU32);

impl Probing {
    /// Runs as a probe for a moment, and checks that there is no other.
    fn alone(&self) {
        assert_eq!(self.0.fetch_add(1, Ordering::Relaxed), 0, "two probes at once");
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
