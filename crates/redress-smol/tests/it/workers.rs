//! Runs an executor on several threads while one future runs.
//!
//! smol's global executor has one thread by default.

use std::future::Future;
use std::thread;

use smol::{Executor, channel};

const THREADS: usize = 3;

/// Waits for `main` while `executor` runs on [`THREADS`] threads.
pub(crate) fn with_workers<Fut: Future>(executor: &Executor<'_>, main: Fut) -> Fut::Output {
    let (stop, stopped) = channel::bounded::<()>(1);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| smol::block_on(executor.run(stopped.recv())));
        }
        let output = smol::block_on(main);
        // Closing the channel stops the threads.
        drop(stop);
        output
    })
}
