//! Where redress-tonic answers otherwise than the original on purpose.
//!
//! Owns the list and what each entry covers beyond its example.

use super::difference::Difference;

/// What differs on purpose. Inputs are statuses by name.
pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        table: "grpc",
        example: "CANCELLED",
        original: "PERMANENT",
        ours: "TRANSIENT",
        reason: "a call that was cancelled here is no call any more; servers say it when a deadline has passed there",
        source: "https://grpc.io/docs/guides/deadlines/",
        covers: |status| status == "CANCELLED",
    },
    Difference {
        table: "grpc",
        example: "UNKNOWN",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "the server failed and has no word for it; proxies say it of a connection that broke",
        source: "https://grpc.io/docs/guides/status-codes/",
        covers: |status| status == "UNKNOWN",
    },
    Difference {
        table: "grpc",
        example: "ABORTED",
        original: "UNKNOWN",
        ours: "CONCURRENCY",
        reason: "it is what servers answer when transactions get into each other's way",
        source: "https://grpc.io/docs/guides/status-codes/",
        covers: |status| status == "ABORTED",
    },
    Difference {
        table: "grpc",
        example: "ALREADY_EXISTS",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "the server has answered, and answers the same the next time",
        source: "https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto",
        covers: |status| {
            ["ALREADY_EXISTS", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED", "NOT_FOUND"].contains(&status)
        },
    },
];
