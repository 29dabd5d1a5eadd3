//! Guesses a class from the name of an error's type or variant, if nothing else decides. The name
//! is the identifier at the beginning of the `Debug` output.

use std::error::Error;
use std::fmt::{self, Write};

use crate::classify::class::ErrorClass;

// All in lower case; each may occur anywhere in the name.
const TIMEOUT: [&str; 3] = ["timeout", "timedout", "elapsed"];
const REFUSAL: [&str; 5] = ["unauthoriz", "unauthoris", "forbid", "permission", "denied"];
/// The fault is the server's and not that of the caller's credentials.
const OF_THE_SERVER: [&str; 8] =
    ["unavailable", "unreachable", "overload", "throttl", "ratelimit", "temporar", "transient", "servererror"];
const CONNECTION: &str = "connection";
const CREDENTIAL: &str = "credential";
const PERMISSION: [&str; 2] = ["forbid", "permission"];

/// The continuations of `author` in words about authorization or an authority.
const OF_AUTHORITY: [&str; 5] = ["iz", "isa", "ise", "isi", "it"];

/// The class that the error's name suggests, if any.
pub(crate) fn guess(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
    let mut name = LeadingIdentifier::default();
    // Err means that the identifier ended before the output did.
    let _ = write!(name, "{error:?}");
    of_name(name.as_str())
}

/// `Auth` and `Permission` end a call at once, so a word such as `timeout` rules them out.
fn of_name(name: &str) -> Option<ErrorClass> {
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if says(&TIMEOUT) {
        return Some(ErrorClass::Transient);
    }
    if !says(&REFUSAL) {
        if name.contains(CONNECTION) {
            return Some(ErrorClass::Transient);
        }
        if says(&OF_THE_SERVER) {
            return None;
        }
    }
    if says_auth(name) || name.contains(CREDENTIAL) {
        Some(ErrorClass::Auth)
    } else if says(&PERMISSION) {
        Some(ErrorClass::Permission)
    } else {
        name.contains(CONNECTION).then_some(ErrorClass::Transient)
    }
}

/// Whether `auth` occurs, except in `author` and `authored`.
fn says_auth(name: &str) -> bool {
    name.match_indices("auth").any(|(at, _)| match name[at..].strip_prefix("author") {
        Some(rest) => OF_AUTHORITY.iter().any(|end| rest.starts_with(end)),
        None => true,
    })
}

/// Collects the leading identifier of a `Debug` output in lower case, then fails the formatting, so
/// that a large error is not formatted whole and nothing is allocated. Names longer than 64 bytes
/// are truncated.
struct LeadingIdentifier {
    bytes: [u8; 64],
    len: usize,
    /// Whether the identifier has ended. Kept, because a `Debug` that ignores errors goes on
    /// writing.
    ended: bool,
}

impl Default for LeadingIdentifier {
    fn default() -> Self {
        Self { bytes: [0; 64], len: 0, ended: false }
    }
}

impl LeadingIdentifier {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Write for LeadingIdentifier {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.ended |= self.len == self.bytes.len() || !(byte.is_ascii_alphanumeric() || byte == b'_');
            if self.ended {
                return Err(fmt::Error);
            }
            self.bytes[self.len] = byte.to_ascii_lowercase();
            self.len += 1;
        }
        Ok(())
    }
}
