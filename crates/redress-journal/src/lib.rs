//! Every call of redress policies as a line of JSON: attempts, classes, hints, durations and waits.
//!
//! Pass a [`Journal`] to a policy's `.observer(..)`. Files are replaced at a size and bounded in
//! number. [`read()`] returns the [records](CallRecord), to look for the calls behind an incident,
//! or to try another policy on them. Error texts are never written.

#![forbid(unsafe_code)]

mod micros;
mod words;
mod record;

mod queue;
mod call;
mod files;
mod journal;
mod read;

pub use journal::{Journal, JournalBuilder};
pub use read::{ReadError, read};
pub use record::{AttemptRecord, CallRecord};

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
