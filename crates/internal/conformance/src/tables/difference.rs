//! The type of an intended difference between redress and the original, the joined lists, and the
//! check for stale entries.
//!
//! The lists are in `*_differences.rs`.

use std::fmt;

#[cfg(feature = "runtimes")]
use super::{boto3_differences, grpc_differences, redis_differences};
use super::{default_differences, http_differences, llm_differences, reset_differences, sql_differences};

/// One way in which our answers differ from the original's on purpose: an example, and a test for
/// the inputs it covers.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The table it belongs to.
    pub table: &'static str,
    /// The example's input. In `default` an error's name, followed by a status if the error carries
    /// one; in `http` a status; in `http_retry_after_value` a header's value; in `http_retry_after`
    /// both, as in `503 Retry-After: 7`; in `grpc` a status by name; in `boto3` a code and a
    /// status, either of which may be `none`, or an exception's name; in `redis` an exception by
    /// name; in `openai` and `anthropic` an exception with its status, body and headers, as in
    /// `RateLimitError 429 / retry-after: 7`; in `openai_reset_duration` and `anthropic_reset` a
    /// header's value.
    pub example: &'static str,
    /// The original's answer to the example: a class, or the seconds to wait (`none`: no hint).
    pub original: &'static str,
    /// Our answer to the example.
    pub ours: &'static str,
    /// The reason for ours.
    pub reason: &'static str,
    /// The document that supports the reason.
    pub source: &'static str,
    pub(super) covers: fn(&str) -> bool,
}

impl Difference {
    /// Whether this is a reason for different answers to `input`, which is spelled like
    /// [`example`](Self::example).
    #[must_use]
    pub fn covers(&self, table: &str, input: &str) -> bool {
        self.table == table && (self.covers)(input)
    }

    /// Whether these answers differ in the way of the example's: the same classes, or seconds where
    /// it has seconds.
    pub(super) fn is_between(&self, original: &str, ours: &str) -> bool {
        let alike =
            |listed: &str, said: &str| listed == said || (listed.parse::<f64>().is_ok() && said.parse::<f64>().is_ok());
        alike(self.original, original) && alike(self.ours, ours)
    }

    /// Whether both are the same entry: no table has two with the same example.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.table, self.example) == (other.table, other.example)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, example, original, ours, reason, source, .. } = self;
        write!(f, "{table}: {example}: {original} -> {ours}: {reason} ({source})")
    }
}

/// Every difference, table by table. Dates are relative to the present of the tables,
/// 2031-03-04T05:06:07.25Z.
///
/// ```
/// use redress_conformance::differences;
///
/// let unprocessable = differences().find(|difference| difference.covers("http", "422")).unwrap();
/// assert_eq!((unprocessable.original, unprocessable.ours), ("UNKNOWN", "PERMANENT"));
/// ```
pub fn differences() -> impl Iterator<Item = &'static Difference> {
    let lists = [
        #[cfg(feature = "runtimes")]
        boto3_differences::BY_CODE,
        #[cfg(feature = "runtimes")]
        boto3_differences::BY_STATUS,
        #[cfg(feature = "runtimes")]
        boto3_differences::BY_KIND,
        default_differences::DIFFERENCES,
        #[cfg(feature = "runtimes")]
        grpc_differences::DIFFERENCES,
        http_differences::DIFFERENCES,
        #[cfg(feature = "runtimes")]
        redis_differences::DIFFERENCES,
        llm_differences::DIFFERENCES,
        reset_differences::DIFFERENCES,
        sql_differences::DIFFERENCES,
    ];
    lists.into_iter().flatten()
}

/// The difference that covers this input and these answers, if any.
pub(super) fn listed(table: &str, input: &str, original: &str, ours: &str) -> Option<&'static Difference> {
    differences().find(|listed| listed.covers(table, input) && listed.is_between(original, ours))
}

/// The stale entries: those that do not cover their example, or whose example has another answer
/// than listed. `answer` returns ours to an example of a table.
pub(super) fn stale(answer: impl Fn(&str, &str) -> Option<String>) -> Vec<String> {
    differences().filter_map(|listed| why_stale(listed, answer(listed.table, listed.example))).collect()
}

fn why_stale(listed: &Difference, ours: Option<String>) -> Option<String> {
    if !listed.covers(listed.table, listed.example) {
        return Some(format!("{listed}: it does not cover its example"));
    }
    if listed.original == listed.ours {
        return Some(format!("{listed}: there is no difference"));
    }
    match ours {
        Some(ours) if ours == listed.ours => None,
        Some(ours) => Some(format!("{listed}: we say {ours}")),
        None => Some(format!("{listed}: the example has no answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Difference, differences, why_stale};

    const LISTED: Difference = Difference {
        table: "default",
        example: "X",
        original: "UNKNOWN",
        ours: "AUTH",
        reason: "because",
        source: "here",
        covers: |input| input == "X",
    };

    #[test]
    fn a_difference_that_is_none_is_stale() {
        let ours = |class: &str| Some(class.to_owned());
        assert_eq!(why_stale(&LISTED, ours("AUTH")), None);
        assert!(why_stale(&LISTED, ours("UNKNOWN")).is_some_and(|why| why.ends_with("we say UNKNOWN")));
        assert!(why_stale(&LISTED, None).is_some());
        assert!(why_stale(&Difference { example: "Y", ..LISTED }, ours("AUTH")).is_some());
        assert!(why_stale(&Difference { original: "AUTH", ..LISTED }, ours("AUTH")).is_some());
    }

    #[test]
    fn answers_must_differ_as_listed() {
        assert!(LISTED.is_between("UNKNOWN", "AUTH"));
        assert!(!LISTED.is_between("PERMANENT", "AUTH"));
        assert!(!LISTED.is_between("UNKNOWN", "PERMANENT"));
        let unread = Difference { original: "3", ours: "none", ..LISTED };
        assert!(unread.is_between("59.75", "none"));
        assert!(!unread.is_between("3", "4"));
    }

    #[test]
    fn no_table_has_two_differences_with_one_example() {
        for listed in differences() {
            assert_eq!(differences().filter(|other| other.is(listed)).count(), 1, "{listed}");
        }
    }
}
