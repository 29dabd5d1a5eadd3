//! The intended differences between the default classifier and the original, and the inputs that
//! each covers.

use super::difference::Difference;

/// The intended differences. Inputs are an error's name, followed by a status if the error carries
/// one.
pub(super) const DIFFERENCES: &[Difference] = &[
    differs(
        "TimedOut",
        ["UNKNOWN", "TRANSIENT"],
        "`TimedOut` is how Rust's libraries spell a timeout, the standard library first",
        "https://doc.rust-lang.org/std/io/enum.ErrorKind.html#variant.TimedOut",
        |input| says(input, &["timedout"]) && is_there(input, "UNKNOWN"),
    ),
    differs(
        "Elapsed",
        ["UNKNOWN", "TRANSIENT"],
        "`Elapsed` is what tokio and tower call the error of a timeout",
        "https://docs.rs/tokio/latest/tokio/time/error/struct.Elapsed.html",
        |input| says(input, &["elapsed"]) && is_there(input, "UNKNOWN"),
    ),
    differs(
        "AuthTimeout",
        ["AUTH", "TRANSIENT"],
        "no answer came in time, so no credentials were refused; a guess must not end the call for good",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2",
        |input| says(input, &TIMEOUTS) && is_there(input, "AUTH"),
    ),
    differs(
        "PermissionTimeout",
        ["PERMISSION", "TRANSIENT"],
        "no answer came in time, so nothing was refused; a guess must not end the call for good",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.4",
        |input| says(input, &TIMEOUTS) && is_there(input, "PERMISSION"),
    ),
    differs(
        "AuthConnectionClosed",
        ["AUTH", "TRANSIENT"],
        "a connection to a service that checks credentials failed; the name does not mention a refusal",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2",
        |input| says(input, &["connection"]) && !says(input, &REFUSALS) && is_there(input, "AUTH"),
    ),
    differs(
        "AuthServerUnavailable",
        ["AUTH", "UNKNOWN"],
        "the service that checks credentials was unavailable; the name does not mention a refusal",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.6.4",
        |input| says(input, &["unavailable", "unreachable"]) && !says(input, &SURER) && is_there(input, "AUTH"),
    ),
    differs(
        "AuthorNotFound",
        ["AUTH", "UNKNOWN"],
        "an author is no credential: Auth is for a request that lacks valid ones",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2",
        |input| is_of_an_author(input) && !says(input, &SURER) && is_there(input, "AUTH"),
    ),
    differs(
        "OpError 410",
        ["UNKNOWN", "PERMANENT"],
        "4xx says that the client seems to have erred, one that is registered nowhere is read as a 400, and an answer is \
         surer than a name",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5",
        is_an_unlisted_client_error,
    ),
    differs(
        "OpError 407",
        ["UNKNOWN", "AUTH"],
        "a 401 of the proxy: without other credentials it stays so",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.8",
        |input| carries(input, &[407]),
    ),
    differs(
        "OpError 421",
        ["UNKNOWN", "TRANSIENT"],
        "this connection leads to the wrong server; the request may be sent again on another, with any method",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.20",
        |input| carries(input, &[421]),
    ),
    differs(
        "OpError 425",
        ["UNKNOWN", "TRANSIENT"],
        "the server declines to act before TLS is set up, and expects the request again afterwards",
        "https://www.rfc-editor.org/rfc/rfc8470#section-5.2",
        |input| carries(input, &[425]),
    ),
    differs(
        "OpError 423",
        ["UNKNOWN", "CONCURRENCY"],
        "another client holds a lock on the resource, and may release it",
        "https://www.rfc-editor.org/rfc/rfc4918#section-11.3",
        |input| carries(input, &[423]),
    ),
    differs(
        "OpError 501",
        ["SERVER_ERROR", "PERMANENT"],
        "the server does not have the method, the version or the variant, and repeating the request does not change that",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.6.2",
        |input| carries(input, &[501, 505, 506, 508, 510]),
    ),
    differs(
        "OpError 511",
        ["SERVER_ERROR", "AUTH"],
        "a 401 of the network: without credentials it stays so",
        "https://www.rfc-editor.org/rfc/rfc6585#section-6",
        |input| carries(input, &[511]),
    ),
];

const TIMEOUTS: [&str; 3] = ["timeout", "timedout", "elapsed"];
const REFUSALS: [&str; 5] = ["unauthoriz", "unauthoris", "forbid", "permission", "denied"];
/// The words that decide before the fault of a server and before an author.
const SURER: [&str; 10] = [
    "timeout",
    "timedout",
    "elapsed",
    "connection",
    "credential",
    "unauthoriz",
    "unauthoris",
    "forbid",
    "permission",
    "denied",
];

const fn differs(
    example: &'static str,
    [original, ours]: [&'static str; 2],
    reason: &'static str,
    source: &'static str,
    covers: fn(&str) -> bool,
) -> Difference {
    Difference { table: "default", example, original, ours, reason, source, covers }
}

/// Splits an input into its two parts.
pub(super) fn named_and_status(input: &str) -> (&str, Option<u16>) {
    let both = input.rsplit_once(' ').and_then(|(name, status)| Some((name, status.parse().ok()?)));
    both.map_or((input, None), |(name, status)| (name, Some(status)))
}

fn says(input: &str, words: &[&str]) -> bool {
    let name = named_and_status(input).0.to_ascii_lowercase();
    words.iter().any(|word| name.contains(word))
}

/// Whether the original guesses this class from the name, in its order of words, and no status
/// comes before the name.
fn is_there(input: &str, class: &str) -> bool {
    let guess = if says(input, &["auth", "credential"]) {
        "AUTH"
    } else if says(input, &["forbid", "permission"]) {
        "PERMISSION"
    } else if says(input, &["timeout", "connection"]) {
        "TRANSIENT"
    } else {
        "UNKNOWN"
    };
    named_and_status(input).1.is_none() && guess == class
}

/// Whether each `auth` of the name is of an author, and none of an authority or authorization.
fn is_of_an_author(input: &str) -> bool {
    let name = named_and_status(input).0.to_ascii_lowercase();
    name.match_indices("auth").all(|(at, _)| {
        name[at..]
            .strip_prefix("author")
            .is_some_and(|rest| !["iz", "is", "it"].iter().any(|end| rest.starts_with(end)))
    })
}

fn carries(input: &str, statuses: &[u16]) -> bool {
    named_and_status(input).1.is_some_and(|status| statuses.contains(&status))
}

/// Whether this is a 4xx without a row here or in the original's table.
fn is_an_unlisted_client_error(input: &str) -> bool {
    let is_of_4xx = named_and_status(input).1.is_some_and(|status| (400..500).contains(&status));
    is_of_4xx && !carries(input, &[400, 401, 403, 404, 407, 408, 409, 421, 422, 423, 425, 429])
}
