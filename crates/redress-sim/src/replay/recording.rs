//! [`Recording`]: the calls of journals, before one of their policies is chosen.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};

use redress_journal::{CallRecord, ReadError};

use super::call::RecordedCall;
use super::error::ReplayError;
use super::log::{Replay, printable};

/// How many unread lines are kept with their reasons.
const MOST_UNREAD: usize = 20;

/// The calls of one or several journals of one process, in any order.
///
/// ```
/// use redress::Policy;
/// use redress_sim::Recording;
///
/// let journal = r#"{"v":1,"at_us":1795000000000000,"policy":"orders","outcome":"success","elapsed_us":640,"made":1,"attempts":[{"start_us":0,"took_us":640}]}
/// {"v":1,"at_us":17950000
/// "#;
/// let mut recording = Recording::new();
/// recording.read("calls.jsonl", journal.as_bytes())?;
/// assert_eq!(recording.policies().collect::<Vec<_>>(), [(Some("orders"), 1)]);
/// assert!(recording.unread()[0].to_string().starts_with("calls.jsonl:2: line 2 is not a record"));
///
/// let replayed = recording.replay(Some("orders"))?.run(&Policy::http().build()?.spec())?;
/// println!("{replayed}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recording {
    names: Names,
    operations: BTreeMap<(Option<String>, u32), u32>,
    pub(super) calls: Vec<RecordedCall>,
    unread: Vec<Unread>,
    unread_count: u64,
}

/// A line that is not the record of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread {
    /// The name of the journal.
    pub journal: String,
    /// The number of the line, from 1.
    pub line: u64,
    /// Why it could not be read.
    pub reason: String,
}

/// Names of policies and breakers, as numbers. Having no name counts as one.
#[derive(Clone, Debug, Default)]
struct Names {
    numbers: BTreeMap<Option<String>, u32>,
    names: Vec<Option<String>>,
}

impl Recording {
    /// A recording without calls.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a journal. `name` is what [`unread`](Self::unread) calls it, such as its path.
    ///
    /// Lines that are not records are counted and skipped. After a line of more than 1 MiB the rest
    /// of the journal is skipped too.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read. The calls before the error are kept.
    pub fn read(&mut self, name: &str, journal: impl Read) -> io::Result<()> {
        for record in redress_journal::read(journal) {
            match record {
                Ok(record) => self.push(&record),
                Err(ReadError::Io(error)) => return Err(error),
                Err(error) => self.skip(name, &error),
            }
        }
        Ok(())
    }

    /// Adds a call.
    pub fn push(&mut self, record: &CallRecord) {
        let policy = self.names.number(record.policy.as_deref());
        let breaker = self.names.number(record.breaker.as_deref());
        let count = u32::try_from(self.operations.len()).unwrap_or(u32::MAX);
        let operation = *self.operations.entry((record.operation.clone(), breaker)).or_insert(count);
        self.calls.push(RecordedCall::of(record, policy, breaker, operation));
    }

    fn skip(&mut self, name: &str, error: &ReadError) {
        self.unread_count += 1;
        let line = match error {
            ReadError::NotARecord { line, .. } | ReadError::Version { line, .. } | ReadError::TooLong { line } => *line,
            _ => 0,
        };
        if self.unread.len() < MOST_UNREAD {
            let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
            self.unread.push(Unread { journal: name.to_owned(), line, reason: printable(&format!("{error}{source}")) });
        }
    }

    /// The policies of the calls, in the order of their names, and how many calls each has.
    pub fn policies(&self) -> impl Iterator<Item = (Option<&str>, u64)> {
        let mut counts: BTreeMap<Option<&str>, u64> = BTreeMap::new();
        for call in &self.calls {
            *counts.entry(self.name(call.policy)).or_default() += 1;
        }
        counts.into_iter()
    }

    /// The first 20 lines that could not be read.
    #[must_use]
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// How many lines could not be read.
    #[must_use]
    pub const fn unread_count(&self) -> u64 {
        self.unread_count
    }

    /// The calls of the policy of this name, to play them under other policies. An empty name is
    /// for calls of policies without one. If there are none, or without an argument, all calls, as
    /// long as they are of one policy.
    ///
    /// # Errors
    ///
    /// If there are no calls, if they are of several other policies, or if they have no attempts at
    /// all.
    pub fn replay(self, policy: Option<&str>) -> Result<Replay, ReplayError> {
        Replay::of(self, policy)
    }

    pub(super) fn name(&self, number: u32) -> Option<&str> {
        self.names.names.get(number as usize)?.as_deref()
    }
}

impl Names {
    fn number(&mut self, name: Option<&str>) -> u32 {
        let name = name.map(str::to_owned);
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        number
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.journal, self.line, self.reason)
    }
}
