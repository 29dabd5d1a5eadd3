//! The labels of `RetrySafety` in events, logs and metrics.

use redress_http::RetrySafety;

#[test]
fn each_verdict_prints_as_its_name() {
    let rows = [
        (RetrySafety::IdempotentMethod, "idempotent_method"),
        (RetrySafety::IdempotencyKey, "idempotency_key"),
        (RetrySafety::OptIn, "opt_in"),
        (RetrySafety::NeverSent, "never_sent"),
        (RetrySafety::AllowedStatus, "allowed_status"),
        (RetrySafety::NotIdempotent, "not_idempotent"),
        (RetrySafety::StreamingBody, "streaming_body"),
    ];
    for (safety, name) in rows {
        assert_eq!((safety.as_str(), safety.to_string().as_str()), (name, name));
    }
}
