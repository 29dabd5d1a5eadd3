//! An executor of more threads than one, for as long as one future runs.
//!
//! Owns the threads. smol's global executor has one by default.

use std::future::Future;
use std::thread;

use smol::{Executor, channel};

const THREADS: usize = 3;

/// Waits for `main`, while `executor` runs on [`THREADS`] threads.
pub(crate) fn with_workers<Fut: Future>(executor: &Executor<'_>, main: Fut) -> Fut::Output {
    let (stop, stopped) = channel::bounded::<()>(1);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| smol::block_on(executor.run(stopped.recv())));
        }
        let output = smol::block_on(main);
        // The channel is closed, which is what the threads wait for.
        drop(stop);
        output
    })
}
