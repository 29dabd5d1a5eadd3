//! [`CallRecord`], one line of a journal, and [`AttemptRecord`], one attempt in it.

use std::time::{Duration, SystemTime};

use redress_core::observe::CallOutcome;
use redress_core::{Cause, ErrorClass, StopReason};
use serde::{Deserialize, Serialize};

use crate::{micros, words};

/// The version of the lines that this crate writes, and the newest that it reads.
pub(crate) const VERSION: u32 = 1;

/// One call: one line of a journal.
///
/// In JSON, absent values are left out, durations are whole microseconds in keys that end with
/// `_us`, and classes, causes, stop reasons and outcomes are the words of the events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallRecord {
    /// The version of the line, 1.
    #[serde(rename = "v")]
    pub version: u32,
    /// When the call started, in microseconds of the wall clock since the Unix epoch.
    pub at_us: u64,
    /// The name of the policy. Names longer than 256 bytes are cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The name of the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The name of the breaker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<String>,
    /// How the call ended.
    #[serde(with = "words")]
    pub outcome: CallOutcome,
    /// Why it stopped; absent after a success, and for a call that was dropped or panicked.
    #[serde(default, with = "words::optional", skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<StopReason>,
    /// The time from the start to the end, if it is known: a rejected call has none.
    #[serde(rename = "elapsed_us", default, with = "micros::optional", skip_serializing_if = "Option::is_none")]
    pub elapsed: Option<Duration>,
    /// How many attempts were started.
    pub made: u32,
    /// The first 100 attempts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<AttemptRecord>,
}

/// One attempt of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// When it started, from the start of the call.
    #[serde(rename = "start_us", with = "micros")]
    pub start: Duration,
    /// How long it took; absent if it was dropped or panicked.
    #[serde(rename = "took_us", default, with = "micros::optional", skip_serializing_if = "Option::is_none")]
    pub took: Option<Duration>,
    /// The class of its failure; absent after a success.
    #[serde(default, with = "words::optional", skip_serializing_if = "Option::is_none")]
    pub class: Option<ErrorClass>,
    /// The kind of its failure.
    #[serde(default, with = "words::optional", skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The failure in one word, such as `503`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The wait that the dependency asked for.
    #[serde(rename = "hint_us", default, with = "micros::optional", skip_serializing_if = "Option::is_none")]
    pub hint: Option<Duration>,
    /// Why it must not be retried, such as `not_idempotent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_forbidden: Option<String>,
    /// The wait before the next attempt, made or deferred.
    #[serde(rename = "wait_us", default, with = "micros::optional", skip_serializing_if = "Option::is_none")]
    pub wait: Option<Duration>,
}

impl CallRecord {
    /// When the call started.
    #[must_use]
    pub fn started_at(&self) -> SystemTime {
        let since_epoch = Duration::from_micros(self.at_us);
        SystemTime::UNIX_EPOCH.checked_add(since_epoch).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}
