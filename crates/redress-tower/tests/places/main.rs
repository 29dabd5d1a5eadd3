//! Random calls through a policy over tower's limits, queues, load shedders and timeouts, in
//! virtual time: no call that waits or is over blocks others.
//!
//! A failing case is shrunk and its seed written below `regressions/`: commit it, every run begins
//! with those.
//! `PROPTEST_CASES=100000` makes a long run of it.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod draw;
mod floor;
mod laws;
mod ledger;
mod play;
mod stack;
mod world;

mod recovery;
