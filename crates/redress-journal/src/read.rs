//! Reads a journal back.

use std::io::{self, BufRead, BufReader, Read};

use thiserror::Error;

use crate::record::{CallRecord, VERSION};

/// The longest line that is read, in bytes. A record of this crate has at most about 100 kB.
const LONGEST_LINE: u64 = 1 << 20;

/// The error for a line that is not a [`CallRecord`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be read.
    #[error("the journal could not be read")]
    Io(#[from] io::Error),
    /// The line is not a record, such as the last line of a process that was killed.
    #[error("line {line} is not a record of a call")]
    NotARecord {
        /// The number of the line, from 1.
        line: u64,
        /// The reason.
        source: serde_json::Error,
    },
    /// A newer version of redress wrote the line.
    #[error("line {line} has version {version}: this version of redress reads up to 1")]
    Version {
        /// The number of the line, from 1.
        line: u64,
        /// Its version.
        version: u32,
    },
    /// The line is longer than 1 MiB.
    #[error("line {line} is longer than 1 MiB")]
    TooLong {
        /// The number of the line, from 1.
        line: u64,
    },
}

/// Reads the records of a journal, in the order in which the calls ended. Blank lines are skipped.
/// A line that is not a record is an error, and reading may continue after it; after
/// [`ReadError::Io`] and [`ReadError::TooLong`] there are no further records.
pub fn read<R: Read>(journal: R) -> impl Iterator<Item = Result<CallRecord, ReadError>> {
    let mut lines = Lines { reader: BufReader::new(journal), line: 0, has_ended: false };
    std::iter::from_fn(move || lines.next())
}

struct Lines<R> {
    reader: BufReader<R>,
    line: u64,
    has_ended: bool,
}

impl<R: Read> Lines<R> {
    fn next(&mut self) -> Option<Result<CallRecord, ReadError>> {
        while !self.has_ended {
            self.line += 1;
            let mut text = Vec::new();
            match (&mut self.reader).take(LONGEST_LINE + 1).read_until(b'\n', &mut text) {
                Ok(0) => self.has_ended = true,
                Ok(_) if text.len() as u64 > LONGEST_LINE => {
                    self.has_ended = true;
                    return Some(Err(ReadError::TooLong { line: self.line }));
                }
                Ok(_) if text.trim_ascii().is_empty() => {}
                Ok(_) => return Some(self.record(&text)),
                Err(error) => {
                    self.has_ended = true;
                    return Some(Err(error.into()));
                }
            }
        }
        None
    }

    fn record(&self, text: &[u8]) -> Result<CallRecord, ReadError> {
        let line = self.line;
        // Another version may have other fields, so it is read first.
        let version: Version = serde_json::from_slice(text).map_err(|source| ReadError::NotARecord { line, source })?;
        if version.v > VERSION {
            return Err(ReadError::Version { line, version: version.v });
        }
        serde_json::from_slice(text).map_err(|source| ReadError::NotARecord { line, source })
    }
}

#[derive(serde::Deserialize)]
struct Version {
    v: u32,
}
