//! Failures of the connection to a database, which drivers report as errors of their own or of
//! `std::io`.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io;

use redress_core::classify::{source_chain, strict_classifier};
use redress_core::{Classification, ErrorClass};

/// Classifies an I/O error on a connection by its kind; one without a kind is `Transient`. One that
/// occurs only while connecting is marked as unsent.
///
/// `NotFound` is `Transient`, unlike for files: the socket of a local server that restarts is
/// missing for a while.
pub(crate) fn of_io(error: &io::Error) -> Classification {
    let failure = strict_classifier().classify_error(error);
    if failure.is_abort() {
        return failure;
    }
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    let failure = if is_missing || failure.class() == ErrorClass::Unknown { transient(&failure) } else { failure };
    if is_of_connecting(&failure) { failure.unsent() } else { failure }
}

/// Classifies a failure to set up a connection, in which no statement was sent: `Permanent`, unless
/// an I/O error among its sources may pass.
pub(crate) fn of_setup(error: &(dyn Error + 'static)) -> Classification {
    let io = source_chain(error).find_map(|error| error.downcast_ref::<io::Error>()).map(of_io);
    io.unwrap_or_else(|| ErrorClass::Permanent.into()).unsent()
}

/// Classifies the `std::io::Error` among the sources of an error, `Transient` without one.
#[cfg(feature = "tokio-postgres")]
pub(crate) fn of_io_source(error: &(dyn Error + 'static)) -> Classification {
    let io = source_chain(error).find_map(|error| error.downcast_ref::<io::Error>());
    io.map_or_else(|| ErrorClass::Transient.into(), of_io)
}

/// The same failure as `Transient`.
fn transient(failure: &Classification) -> Classification {
    let details = failure.details().map(|(key, value)| (key.to_owned(), value.to_owned()));
    let same = Classification::new(ErrorClass::Transient).with_retry_after(failure.retry_after());
    details.fold(same, |same, (key, value)| same.with_detail(key, value))
}

/// Whether it occurs only while connecting: refused, no local address, a name that is not known.
fn is_of_connecting(failure: &Classification) -> bool {
    matches!(failure.detail("io"), Some("ConnectionRefused" | "AddrNotAvailable" | "AddrInUse" | "NameLookup"))
}

/// The beginning of what an error prints with `Debug`, which names its type or its kind. Prints no
/// more than needed: the rest may hold a statement.
pub(crate) fn printed(error: &impl fmt::Debug) -> String {
    struct Beginning(String);
    impl fmt::Write for Beginning {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.push_str(text);
            if self.0.len() < LONGEST { Ok(()) } else { Err(fmt::Error) }
        }
    }
    const LONGEST: usize = 80;
    let mut beginning = Beginning(String::new());
    // An error means that enough was printed.
    let _ = write!(beginning, "{error:?}");
    beginning.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prints as many letters as are read, and then what must not be printed.
    struct Long;

    impl fmt::Debug for Long {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&"x".repeat(80))?;
            panic!("a statement is printed");
        }
    }

    #[test]
    fn no_more_is_printed_than_is_read() {
        assert_eq!(printed(&Long), "x".repeat(80));
    }
}
