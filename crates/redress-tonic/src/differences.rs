//! Where redress-tonic answers differently from the Python original (redress 1.4.2), and why.
//!
//! Owns the list. The table it speaks of, `grpc`, is the original's recorded answers; every row of it that is not covered here is
//! answered as the original answers it, and the crate's tests hold both to that.
//!
//! ```
//! use redress::integration::tonic::differences::{ALL, covering};
//!
//! for difference in ALL {
//!     println!("{difference}");
//! }
//! let aborted = covering("ABORTED").unwrap();
//! assert_eq!((aborted.original, aborted.ours), ("UNKNOWN", "CONCURRENCY"));
//! ```

use std::fmt;

/// One way in which the answers differ: an example of it, and what it covers beyond the example.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// A status, by name.
    pub example: &'static str,
    /// The original's class for the example.
    pub original: &'static str,
    /// Our class for the example.
    pub ours: &'static str,
    /// Why ours is better.
    pub reason: &'static str,
    /// The document that says so.
    pub source: &'static str,
    covers: &'static [&'static str],
}

impl Difference {
    /// Whether the answers to `status` may differ for this reason.
    #[must_use]
    pub fn covers(&self, status: &str) -> bool {
        self.covers.contains(&status)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { example, original, ours, reason, source, .. } = self;
        write!(f, "grpc: {example}: {original} -> {ours}: {reason} ({source})")
    }
}

/// The difference that covers this status, if there is one.
#[must_use]
pub fn covering(status: &str) -> Option<&'static Difference> {
    ALL.iter().find(|difference| difference.covers(status))
}

/// Every difference.
pub const ALL: &[Difference] = &[
    Difference {
        example: "CANCELLED",
        original: "PERMANENT",
        ours: "TRANSIENT",
        reason: "a call that was cancelled here is no call any more; servers say it when a deadline has passed there",
        source: "https://grpc.io/docs/guides/deadlines/",
        covers: &["CANCELLED"],
    },
    Difference {
        example: "UNKNOWN",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "the server failed and has no word for it; proxies say it of a connection that broke",
        source: "https://grpc.io/docs/guides/status-codes/",
        covers: &["UNKNOWN"],
    },
    Difference {
        example: "ABORTED",
        original: "UNKNOWN",
        ours: "CONCURRENCY",
        reason: "it is what servers answer when transactions get into each other's way",
        source: "https://grpc.io/docs/guides/status-codes/",
        covers: &["ABORTED"],
    },
    Difference {
        example: "ALREADY_EXISTS",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "the server has answered, and answers the same the next time",
        source: "https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto",
        covers: &["ALREADY_EXISTS", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED", "NOT_FOUND"],
    },
];
