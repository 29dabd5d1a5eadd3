//! What the name of an error's type or variant suggests, where nothing surer is known.
//!
//! Owns the words and their order. The name is read off the `Debug` output, which begins with it.

use std::error::Error;
use std::fmt::{self, Write};

use crate::classify::class::ErrorClass;

// All in lower case, each looked for anywhere in the name.
const TIMEOUT: [&str; 3] = ["timeout", "timedout", "elapsed"];
const REFUSAL: [&str; 5] = ["unauthoriz", "unauthoris", "forbid", "permission", "denied"];
/// That something else is wrong than who asks.
const OF_THE_SERVER: [&str; 8] =
    ["unavailable", "unreachable", "overload", "throttl", "ratelimit", "temporar", "transient", "servererror"];
const CONNECTION: &str = "connection";
const CREDENTIAL: &str = "credential";
const PERMISSION: [&str; 2] = ["forbid", "permission"];

/// How a word goes on that begins with `author` and is about authorization or an authority.
const OF_AUTHORITY: [&str; 5] = ["iz", "isa", "ise", "isi", "it"];

/// The class that an error's name suggests.
pub(crate) fn guess(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
    let mut name = LeadingIdentifier::default();
    // Err means that the writer had seen enough; the identifier is complete either way.
    let _ = write!(name, "{error:?}");
    of_name(name.as_str())
}

/// `Auth` and `Permission` end a call at once, so they need a name in which nothing says that no
/// answer came.
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

/// Whether `auth` occurs other than as the beginning of `author`, who writes books.
fn says_auth(name: &str) -> bool {
    name.match_indices("auth").any(|(at, _)| match name[at..].strip_prefix("author") {
        Some(rest) => OF_AUTHORITY.iter().any(|end| rest.starts_with(end)),
        None => true,
    })
}

/// Collects the identifier a `Debug` output begins with, lower-cased, then refuses more, so that
/// neither a large error is formatted whole nor anything allocated. 64 bytes hold the names that
/// occur.
struct LeadingIdentifier {
    bytes: [u8; 64],
    len: usize,
    /// Whether it has ended: a `Debug` that ignores errors goes on writing.
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
