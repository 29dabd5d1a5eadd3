//! The intended differences between redress-tonic and the original, and the statuses that each
//! covers.

use super::difference::Difference;

/// The intended differences. Inputs are names of statuses.
pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        table: "grpc",
        example: "CANCELLED",
        original: "PERMANENT",
        ours: "TRANSIENT",
        reason: "a call cancelled by the client has no answer; servers send it when a deadline has passed there",
        source: "https://grpc.io/docs/guides/deadlines/",
        covers: |status| status == "CANCELLED",
    },
    Difference {
        table: "grpc",
        example: "UNKNOWN",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "the server failed for an unclassified reason; proxies send it when a connection broke",
        source: "https://grpc.io/docs/guides/status-codes/",
        covers: |status| status == "UNKNOWN",
    },
    Difference {
        table: "grpc",
        example: "ABORTED",
        original: "UNKNOWN",
        ours: "CONCURRENCY",
        reason: "servers send it when transactions conflict",
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
