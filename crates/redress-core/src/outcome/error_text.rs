//! The text of a failed call. Errors are grouped by their text, so it contains nothing that differs
//! between two calls that end in the same way.

use std::fmt;

use crate::classify::class::ErrorClass;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;

/// Displays as `sync_user timed out (transient): the attempts allowed were used up`.
pub(crate) struct ErrorText<'t> {
    pub(crate) operation: Option<&'t str>,
    pub(crate) cause: Option<Cause>,
    pub(crate) class: Option<ErrorClass>,
    pub(crate) reason: StopReason,
    pub(crate) retry_forbidden: Option<&'static str>,
}

impl fmt::Display for ErrorText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation.unwrap_or("the call"))?;
        f.write_str(match self.cause {
            Some(Cause::Error) => " failed",
            Some(Cause::Result) => " returned a value that counts as a failure",
            Some(Cause::Timeout) => " timed out",
            None if self.reason == StopReason::Aborted => return f.write_str(" was aborted"),
            None => " ended without a failure",
        })?;
        if let Some(class) = self.class {
            write!(f, " ({})", words(class))?;
        }
        write!(f, ": {}", self.reason.description())?;
        match self.retry_forbidden {
            Some(why) => write!(f, " ({why})"),
            None => Ok(()),
        }
    }
}

/// The class in words.
pub(crate) const fn words(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Auth => "not authenticated",
        ErrorClass::Permission => "not permitted",
        ErrorClass::Permanent => "permanent",
        ErrorClass::Concurrency => "conflict",
        ErrorClass::RateLimit => "rate limited",
        ErrorClass::ServerError => "server error",
        ErrorClass::Transient => "transient",
        ErrorClass::Unknown => "unclassified",
    }
}
