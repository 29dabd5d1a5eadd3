//! The list of intended differences: each covers its example and similar inputs, and no input that
//! has the original's answer.

use redress_conformance::{Difference, differences};

const VALUE: &str = "http_retry_after_value";

fn covering(table: &str, input: &str) -> Option<&'static Difference> {
    differences().find(|difference| difference.covers(table, input))
}

#[test]
fn each_covers_its_example_in_its_own_table_alone() {
    for difference in differences() {
        assert!(difference.covers(difference.table, difference.example), "{difference}");
        assert!(!difference.covers("another table", difference.example), "{difference}");
        let Difference { table, example, original, ours, reason, source, .. } = difference;
        let printed = difference.to_string();
        for part in [table, example, original, ours, reason, source] {
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
        ("grpc", "OUT_OF_RANGE", "answers the same the next time"),
        ("sql", "40P02", "was rolled back"),
        ("sql", "42S22", "the statement is wrong"),
        ("sql", "22003", "the values are refused"),
        ("sql", "40002", "the values are refused"),
        ("sql", "IM014", "configuration"),
        ("sql", "57P03", "is starting"),
        ("sql", "58030", "the server's system"),
        ("sql", "4000", "five characters"),
        ("sql", "text: [08S01] [Microsoft] link failure", "no code is read out of prose"),
        ("default", "CredentialElapsed", "`Elapsed` is what tokio and tower call"),
        ("default", "OpError 418", "the client seems to have erred"),
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
        ("grpc", "UNAVAILABLE"),
        ("grpc", "INTERNAL"),
        ("grpc", "UNAUTHENTICATED"),
        ("grpc", "NONSENSE"),
        ("sql", "40001"),
        ("sql", "40P01"),
        ("sql", "08006"),
        ("sql", "08ABC"),
        ("sql", "28P01"),
        ("sql", "42000"),
        ("sql", "HY000"),
        ("sql", "HYT00"),
        ("sql", "S1000"),
        ("default", "OpError"),
        ("default", "OpError 404"),
        ("default", "AuthError"),
    ];
    for (table, input) in rows {
        assert!(covering(table, input).is_none(), "{input}: {:?}", covering(table, input));
    }
}
