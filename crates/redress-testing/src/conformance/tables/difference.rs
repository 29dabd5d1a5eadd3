//! Where we answer otherwise than the original on purpose: the lists, joined, and whether they still hold.
//!
//! Owns what a difference is here, and when one is stale. The lists are the domains' own.

use std::fmt;

#[cfg(feature = "conformance-grpc")]
use super::grpc;
use super::{default, default_differences, http};

/// A way in which our answers differ from the original's on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntendedDifference {
    /// The table it was listed for.
    pub table: &'static str,
    /// An input that shows it, in the list's words.
    pub example: &'static str,
    /// The original's answer to the example.
    pub original: &'static str,
    /// Our answer to the example.
    pub ours: &'static str,
    /// Why ours is better.
    pub reason: &'static str,
    /// The document that says so.
    pub source: &'static str,
}

/// Whether a listed difference may be the reason that this input, spelled like its example, is answered otherwise.
pub(super) type Covers = fn(&str) -> bool;

impl IntendedDifference {
    /// Whether these answers differ as the example's do: the same classes, or seconds where it has seconds.
    pub(super) fn is_between(&self, original: &str, ours: &str) -> bool {
        let alike =
            |listed: &str, said: &str| listed == said || (listed.parse::<f64>().is_ok() && said.parse::<f64>().is_ok());
        alike(self.original, original) && alike(self.ours, ours)
    }
}

impl fmt::Display for IntendedDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, example, original, ours, reason, source } = self;
        write!(f, "{table}: {example}: {original} -> {ours}: {reason} ({source})")
    }
}

impl From<&redress_http::differences::Difference> for IntendedDifference {
    fn from(listed: &redress_http::differences::Difference) -> Self {
        let redress_http::differences::Difference { table, example, original, ours, reason, source, .. } = *listed;
        Self { table, example, original, ours, reason, source }
    }
}

#[cfg(feature = "conformance-grpc")]
impl From<&redress_tonic::differences::Difference> for IntendedDifference {
    fn from(listed: &redress_tonic::differences::Difference) -> Self {
        let redress_tonic::differences::Difference { example, original, ours, reason, source, .. } = *listed;
        Self { table: "grpc", example, original, ours, reason, source }
    }
}

/// The listed differences that are none any more: whose example is not covered, or not answered as the list says.
pub(super) fn stale() -> Vec<String> {
    let of_default = default_differences::DIFFERENCES.iter().map(|(listed, covers)| {
        let ours = default::answer(listed.example);
        (*listed, covers(listed.example), ours)
    });
    let of_http = redress_http::differences::ALL.iter().map(|listed| {
        let ours = http::answer(listed.table, listed.example);
        (listed.into(), listed.covers(listed.table, listed.example), ours)
    });
    let others = of_default.chain(of_http);
    #[cfg(feature = "conformance-grpc")]
    let others = others.chain(redress_tonic::differences::ALL.iter().map(|listed| {
        let ours = grpc::answer(listed.example).map(|class| class.to_string());
        (listed.into(), listed.covers(listed.example), ours)
    }));
    others.filter_map(|(listed, covers, ours)| why_stale(&listed, covers, ours)).collect()
}

fn why_stale(listed: &IntendedDifference, covers: bool, ours: Option<String>) -> Option<String> {
    if !covers {
        return Some(format!("{listed}: it does not cover its example"));
    }
    if listed.original == listed.ours {
        return Some(format!("{listed}: there is no difference"));
    }
    match ours {
        Some(ours) if ours == listed.ours => None,
        Some(ours) => Some(format!("{listed}: we say {ours}")),
        None => Some(format!("{listed}: nobody can answer the example")),
    }
}

#[cfg(test)]
mod tests {
    use super::{IntendedDifference, why_stale};

    const LISTED: IntendedDifference = IntendedDifference {
        table: "default",
        example: "X",
        original: "UNKNOWN",
        ours: "AUTH",
        reason: "because",
        source: "here",
    };

    #[test]
    fn a_difference_that_is_none_is_stale() {
        let ours = |class: &str| Some(class.to_owned());
        assert_eq!(why_stale(&LISTED, true, ours("AUTH")), None);
        assert!(why_stale(&LISTED, true, ours("UNKNOWN")).is_some_and(|why| why.ends_with("we say UNKNOWN")));
        assert!(why_stale(&LISTED, true, None).is_some());
        assert!(why_stale(&LISTED, false, ours("AUTH")).is_some());
        assert!(why_stale(&IntendedDifference { original: "AUTH", ..LISTED }, true, ours("AUTH")).is_some());
    }

    #[test]
    fn answers_must_differ_as_listed() {
        assert!(LISTED.is_between("UNKNOWN", "AUTH"));
        assert!(!LISTED.is_between("PERMANENT", "AUTH"));
        assert!(!LISTED.is_between("UNKNOWN", "PERMANENT"));
        let unread = IntendedDifference { original: "3", ours: "none", ..LISTED };
        assert!(unread.is_between("59.75", "none"));
        assert!(!unread.is_between("3", "4"));
    }
}
