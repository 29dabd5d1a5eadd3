//! Recorded calls, played under another policy. `recording.rs` reads them, `play.rs` plays them
//! once, `replayed.rs` is what several playings show.

mod attempt;
mod call;
mod recording;
mod pools;
mod log;
mod counts;
mod circuits;
mod operation;
mod play;
mod error;
mod run;
mod replayed;
mod limits;
mod moment;
mod require;
pub(crate) mod summary;

pub use counts::{Counts, Period};
pub use error::ReplayError;
pub use log::Replay;
pub use recording::{Recording, Unread};
pub use replayed::{Certainty, Replayed};
pub use require::{ReplayRequirement, ReplayVerdict};
pub use run::ReplayProgress;
pub use summary::ReplayComparison;
