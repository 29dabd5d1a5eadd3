//! A cell of a table: the recoveries of one scene under several seeds.

use std::fmt;
use std::num::NonZero;
use std::sync::Mutex;
use std::thread;

use crate::mechanisms::Mechanism;
use crate::scene::Scene;

/// The recoveries in seconds, in ascending order; those that never came are last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell(Vec<Option<u64>>);

impl Cell {
    pub(crate) fn new(mut recoveries: Vec<Option<u64>>) -> Self {
        recoveries.sort_by_key(|recovery| recovery.unwrap_or(u64::MAX));
        Self(recoveries)
    }

    /// Whether every seed recovers, or none does; `None` if they differ.
    pub(crate) fn recovers(&self) -> Option<bool> {
        let recovered = self.0.iter().flatten().count();
        (recovered == 0 || recovered == self.0.len()).then_some(recovered > 0)
    }

    /// The recovery of the middle seed; [`u64::MAX`] if it never came.
    #[cfg(test)]
    pub(crate) fn median(&self) -> u64 {
        self.0.get(self.0.len() / 2).copied().flatten().unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recovered = self.0.iter().flatten();
        match (recovered.clone().min(), recovered.max(), self.recovers()) {
            (Some(least), Some(most), Some(_)) if least == most => write!(f, "{least} s"),
            (Some(least), Some(most), Some(_)) => write!(f, "{least} to {most} s"),
            (Some(least), _, None) => write!(f, "{least} s, or never"),
            _ => f.write_str("**never**"),
        }
    }
}

/// Runs each scene with the seeds from 1 to `seeds`, on all processors. A run does not depend on
/// the others, so neither do the results on their number.
pub(crate) fn measure(scenes: &[(Mechanism, Scene)], seeds: u64) -> Vec<Cell> {
    let jobs = scenes.iter().enumerate().flat_map(|(index, scene)| (1..=seeds).map(move |seed| (index, *scene, seed)));
    let jobs = Mutex::new(jobs);
    let found = Mutex::new(vec![Vec::new(); scenes.len()]);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, (mechanism, scene), seed)) = next(&jobs) {
                    let recovery = mechanism.run(Scene { seed, ..scene }).recovery();
                    let recovery = recovery.map(|recovery| recovery.as_secs());
                    found.lock().expect("no thread panicked")[index].push(recovery);
                }
            });
        }
    });
    found.into_inner().expect("no thread panicked").into_iter().map(Cell::new).collect()
}

fn next<I: Iterator>(jobs: &Mutex<I>) -> Option<I::Item> {
    jobs.lock().expect("no thread panicked").next()
}
