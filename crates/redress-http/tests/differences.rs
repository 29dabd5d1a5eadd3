//! The list of differences: each covers its example and its like, and nothing that is answered as the original did.

use redress_http::RetrySafety;
use redress_http::differences::{ALL, covering};

const VALUE: &str = "http_retry_after_value";

#[test]
fn each_covers_its_example_in_its_own_table_alone() {
    for difference in ALL {
        let covers = covering(difference.table, difference.example).expect("its own example");
        assert_eq!(covers.reason, difference.reason);
        assert!(covering("another table", difference.example).is_none());
        let printed = difference.to_string();
        for part in [difference.table, difference.example, difference.original, difference.ours, difference.source] {
            assert!(printed.contains(part), "{part} in {printed}");
        }
    }
}

#[test]
fn what_is_like_an_example_is_covered_for_the_same_reason() {
    let rows = [
        ("http", "402", "the client seems to have erred"),
        ("http", "418", "the client seems to have erred"),
        ("http", "499", "the client seems to have erred"),
        ("http", "505", "does not have the method"),
        ("http", "511", "a 401 of the network"),
        (VALUE, "0.0", "rounded up"),
        (VALUE, "1,5", "join headers"),
        (VALUE, "1d", "a number with a unit"),
        ("http_retry_after", "429 Retry-After: 7, 1", "of several headers"),
        (VALUE, "1_000", "digits of other scripts"),
        (VALUE, "Tue, 04 Mar 2031 05:07:07 -0500", "HTTP defines three forms"),
        (VALUE, "tue, 04 mar 2031 05:07:07 gmt", "HTTP defines three forms"),
        (VALUE, "Mon Mar  4 05:07:07 2031", "names no day"),
        (VALUE, "Friday, 04-Mar-31 05:07:07 GMT", "names no day"),
        (VALUE, "Wednesday, 12-Mar-69 05:07:07 GMT", "names no day"),
        (VALUE, "Tuesday, 12-Mar-69 05:07:07 GMT", "two-digit years"),
        ("http_retry_after", "500 Retry-After: 7", "defined for every response"),
    ];
    for (table, input, reason) in rows {
        let covers = covering(table, input).unwrap_or_else(|| panic!("{input} is covered"));
        assert!(covers.reason.contains(reason), "{input}: {covers}");
    }
}

#[test]
fn what_is_answered_alike_is_not_covered() {
    let rows = [
        (VALUE, "7"),
        (VALUE, "soon"),
        (VALUE, "Tue, 04 Mar 2031 05:07:07 GMT"),
        (VALUE, "Tuesday, 04-Mar-31 05:07:07 GMT"),
        (VALUE, "Tue Mar  4 05:07:07 2031"),
        (VALUE, "-69 "),
        ("http", "500"),
        ("http", "507"),
        ("http", "302"),
        ("http", "400"),
        ("http", "404"),
        ("http", "409"),
        ("http", "429"),
        ("http_retry_after", "429 Retry-After: 7"),
        ("http_retry_after", "200 Retry-After: 7"),
        ("http_retry_after", "no status"),
    ];
    for (table, input) in rows {
        assert!(covering(table, input).is_none(), "{input}: {:?}", covering(table, input));
    }
}

#[test]
fn the_verdict_on_a_request_prints_as_its_name() {
    let rows = [
        (RetrySafety::IdempotentMethod, "idempotent_method"),
        (RetrySafety::IdempotencyKey, "idempotency_key"),
        (RetrySafety::OptIn, "opt_in"),
        (RetrySafety::NotIdempotent, "not_idempotent"),
    ];
    for (safety, name) in rows {
        assert_eq!((safety.as_str(), safety.to_string().as_str()), (name, name));
    }
}
