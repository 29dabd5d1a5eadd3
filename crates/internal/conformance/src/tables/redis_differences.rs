//! The intended differences between redress-redis and the original, and the exceptions of redis-py
//! that each covers.

use super::difference::Difference;

/// The intended differences. Inputs are names of exceptions of redis-py.
pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        table: "redis",
        example: "ClusterDownError",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "no node serves the slot until a replica takes over",
        source: "https://redis.io/docs/latest/develop/reference/errors/common/clusterdown/",
        covers: |kind| ["ClusterDownError", "SlotNotCoveredError"].contains(&kind),
    },
    Difference {
        table: "redis",
        example: "MovedError",
        original: "UNKNOWN",
        ours: "TRANSIENT",
        reason: "the slot has moved to another node, which the client asks the next time",
        source: "https://redis.io/docs/latest/develop/reference/errors/common/moved/",
        covers: |kind| kind == "MovedError",
    },
    Difference {
        table: "redis",
        example: "ReadOnlyError",
        original: "CONCURRENCY",
        ours: "TRANSIENT",
        reason: "after a failover the address leads to a replica; no other writer is in conflict",
        source: "https://redis.io/docs/latest/develop/reference/errors/common/readonly/",
        covers: |kind| kind == "ReadOnlyError",
    },
    Difference {
        table: "redis",
        example: "WatchError",
        original: "UNKNOWN",
        ours: "CONCURRENCY",
        reason: "another client changed a watched key; run the transaction again",
        source: "https://redis.io/docs/latest/develop/using-commands/transactions/",
        covers: |kind| kind == "WatchError",
    },
    Difference {
        table: "redis",
        example: "NoScriptError",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "the script is not in the cache until it is loaded",
        source: "https://redis.io/docs/latest/develop/reference/errors/all/redis/",
        covers: |kind| kind == "NoScriptError",
    },
    Difference {
        table: "redis",
        example: "ResponseError",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "`ERR` says that the command is wrong: unknown, wrong arguments, not a number",
        source: "https://redis.io/docs/latest/develop/reference/errors/all/redis/",
        covers: |kind| kind == "ResponseError",
    },
    Difference {
        table: "redis",
        example: "DataError",
        original: "UNKNOWN",
        ours: "PERMANENT",
        reason: "an argument that the client cannot send stays so",
        source: "https://redis.io/docs/latest/develop/clients/error-handling",
        covers: |kind| kind == "DataError",
    },
    Difference {
        table: "redis",
        example: "ExternalAuthProviderError",
        original: "TRANSIENT",
        ours: "AUTH",
        reason: "the client reports a provider without a token like refused credentials",
        source: "https://docs.rs/redis/latest/redis/enum.ErrorKind.html",
        covers: |kind| kind == "ExternalAuthProviderError",
    },
];
