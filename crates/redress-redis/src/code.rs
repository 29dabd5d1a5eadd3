//! The error codes of Redis: the class of each, and whether the command certainly did not run.
//!
//! An error reply begins with a code in capitals, as in `LOADING Redis is loading the dataset in
//! memory`. The functions read a whole reply or only its code, so they serve every client:
//!
//! ```
//! use redress::ErrorClass;
//! use redress::integration::redis::code;
//!
//! // For fred, for instance: `code::classify(error.details())`.
//! let failure = code::classify("LOADING Redis is loading the dataset in memory");
//! assert_eq!(failure.class(), ErrorClass::Transient);
//! assert!(failure.is_unsent());
//! ```
//!
//! | code | class | refused | because |
//! |---|---|---|---|
//! | [`LOADING`] | `Transient` | yes | the server reads its data after a start: retry after a delay |
//! | [`BUSY`] | `Transient` | yes | a script or function blocks the server until it ends |
//! | [`MASTERDOWN`] | `Transient` | yes | a replica without its primary does not answer with stale data |
//! | [`CLUSTERDOWN`] | `Transient` | yes | no node serves the slot, or too few nodes are left |
//! | [`TRYAGAIN`] | `Transient` | yes | the keys of one command are on two nodes while a slot moves |
//! | [`MOVED`], [`ASK`] | `Transient` | yes | another node serves the key; a cluster client follows. To a client without clusters it stays so |
//! | [`READONLY`] | `Transient` | yes | after a failover the address leads to a replica, until the client connects to the primary |
//! | `UNBLOCKED`, `NOMASTERLINK`, `IOERR` | `Transient` | | a blocked command ended because the server became a replica; no link to the primary; `MIGRATE` did not reach its target |
//! | `ERR max number of clients reached` | `Transient` | yes | the server closes the new connection |
//! | [`OOM`] | `ServerError` | yes | the memory limit is reached; whether room is made depends on the eviction policy |
//! | [`MISCONF`] | `ServerError` | yes | the server cannot save to disk, and refuses writes until it can |
//! | [`NOREPLICAS`] | `ServerError` | yes | too few replicas are connected |
//! | [`NOAUTH`], [`WRONGPASS`] | `Auth` | yes | no credentials, or wrong ones |
//! | `ERR` about `AUTH` | `Auth` | yes | servers before 6.0, and a password where none is set |
//! | [`NOPERM`], [`DENIED`] | `Permission` | yes | the access control list; protected mode |
//! | [`EXECABORT`] | `Permanent`; with `because of: ` the class of the code behind it | yes | a command could not be queued; the transaction is discarded |
//! | [`NOSCRIPT`], [`CROSSSLOT`] | `Permanent` | yes | load the script with `EVAL`; use keys of one slot |
//! | [`WRONGTYPE`], [`BUSYGROUP`], [`NOGROUP`], [`BUSYKEY`], `INVALIDOBJ`, `NOPROTO`, `NOTBUSY`, `UNKILLABLE`, `NOSUB` | `Permanent` | | an answer that stays the same |
//! | any other `ERR` | `Permanent` | | unknown command, wrong arguments, not an integer: the command is wrong |
//! | a code that is not listed | `Unknown` | | of a module, a script or a proxy |
//!
//! "Refused" means that the server refused the command before it ran, so the failure is marked as
//! [unsent](Classification::is_unsent) and even `INCR` may be sent again. From inside a script, the
//! same code says only where the script ended; Redis adds `script: ` to the text, and nothing is
//! marked. A script that returns a listed code of its own making is taken for the server.
//!
//! Every error reply of the server is on
//! [one page](https://redis.io/docs/latest/develop/reference/errors/all/redis/).
//!
//! [`LOADING`]: https://redis.io/docs/latest/develop/reference/errors/common/loading/
//! [`BUSY`]: https://redis.io/docs/latest/develop/reference/errors/common/busy/
//! [`MASTERDOWN`]: https://redis.io/docs/latest/develop/reference/errors/common/masterdown/
//! [`CLUSTERDOWN`]: https://redis.io/docs/latest/develop/reference/errors/common/clusterdown/
//! [`TRYAGAIN`]: https://redis.io/docs/latest/develop/reference/errors/common/tryagain/
//! [`MOVED`]: https://redis.io/docs/latest/develop/reference/errors/common/moved/
//! [`ASK`]: https://redis.io/docs/latest/develop/reference/errors/common/ask/
//! [`READONLY`]: https://redis.io/docs/latest/develop/reference/errors/common/readonly/
//! [`OOM`]: https://redis.io/docs/latest/develop/reference/errors/common/oom/
//! [`MISCONF`]: https://redis.io/docs/latest/develop/reference/errors/common/misconf/
//! [`NOREPLICAS`]: https://redis.io/docs/latest/develop/reference/errors/common/noreplicas/
//! [`NOAUTH`]: https://redis.io/docs/latest/develop/reference/errors/all/redis/
//! [`WRONGPASS`]: https://redis.io/docs/latest/develop/reference/errors/all/redis/
//! [`NOPERM`]: https://redis.io/docs/latest/develop/reference/errors/all/redis/
//! [`DENIED`]: https://redis.io/docs/latest/develop/reference/errors/all/redis/
//! [`EXECABORT`]: https://redis.io/docs/latest/develop/reference/errors/all/redis/
//! [`NOSCRIPT`]: https://redis.io/docs/latest/develop/reference/errors/all/redis/
//! [`CROSSSLOT`]: https://redis.io/docs/latest/develop/reference/errors/all/redis/
//! [`WRONGTYPE`]: https://redis.io/docs/latest/develop/reference/errors/all/redis/
//! [`BUSYGROUP`]: https://redis.io/docs/latest/develop/reference/errors/all/redis/
//! [`NOGROUP`]: https://redis.io/docs/latest/develop/reference/errors/all/redis/
//! [`BUSYKEY`]: https://redis.io/docs/latest/develop/reference/errors/all/redis/

use redress_core::{Classification, ErrorClass};

/// The detail of a code, or of the client's kind of an error.
pub(crate) const REDIS: &str = "redis";

/// How a transaction that was discarded at `EXEC` names the refusal.
const BECAUSE: &str = "because of: ";

/// What Redis adds to an error from inside a script or function.
const IN_SCRIPT: &str = "script: ";

struct Row {
    code: &'static str,
    class: ErrorClass,
    is_refusal: bool,
}

const fn refused(code: &'static str, class: ErrorClass) -> Row {
    Row { code, class, is_refusal: true }
}

const fn answered(code: &'static str, class: ErrorClass) -> Row {
    Row { code, class, is_refusal: false }
}

const ROWS: &[Row] = &[
    refused("LOADING", ErrorClass::Transient),
    refused("BUSY", ErrorClass::Transient),
    refused("MASTERDOWN", ErrorClass::Transient),
    refused("CLUSTERDOWN", ErrorClass::Transient),
    refused("TRYAGAIN", ErrorClass::Transient),
    refused("MOVED", ErrorClass::Transient),
    refused("ASK", ErrorClass::Transient),
    refused("READONLY", ErrorClass::Transient),
    answered("UNBLOCKED", ErrorClass::Transient),
    answered("NOMASTERLINK", ErrorClass::Transient),
    answered("IOERR", ErrorClass::Transient),
    refused("OOM", ErrorClass::ServerError),
    refused("MISCONF", ErrorClass::ServerError),
    refused("NOREPLICAS", ErrorClass::ServerError),
    refused("NOAUTH", ErrorClass::Auth),
    refused("WRONGPASS", ErrorClass::Auth),
    refused("NOPERM", ErrorClass::Permission),
    refused("DENIED", ErrorClass::Permission),
    refused("EXECABORT", ErrorClass::Permanent),
    refused("NOSCRIPT", ErrorClass::Permanent),
    refused("CROSSSLOT", ErrorClass::Permanent),
    answered("WRONGTYPE", ErrorClass::Permanent),
    answered("BUSYGROUP", ErrorClass::Permanent),
    answered("NOGROUP", ErrorClass::Permanent),
    answered("BUSYKEY", ErrorClass::Permanent),
    answered("INVALIDOBJ", ErrorClass::Permanent),
    answered("NOPROTO", ErrorClass::Permanent),
    answered("NOTBUSY", ErrorClass::Permanent),
    answered("UNKILLABLE", ErrorClass::Permanent),
    answered("NOSUB", ErrorClass::Permanent),
    answered("ERR", ErrorClass::Permanent),
];

/// Returns the class of an error reply, or `None` for a code that is not in the
/// [table](self). Reads a whole reply or only its code.
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::redis::code;
///
/// assert_eq!(code::class("LOADING"), Some(ErrorClass::Transient));
/// assert_eq!(code::class("WRONGTYPE Operation against a key holding the wrong kind of value"), Some(ErrorClass::Permanent));
/// assert_eq!(code::class("SEARCH_INDEX_NOT_FOUND"), None);
/// ```
#[must_use]
pub fn class(reply: &str) -> Option<ErrorClass> {
    let (code, text) = split(reply);
    row(code, text).map(|row| row.class)
}

/// Whether the server refused the command before it ran, by the [table](self). `false` for a code
/// that is not listed, and for a failure inside a script.
///
/// ```
/// use redress::integration::redis::code;
///
/// assert!(code::is_refusal("OOM command not allowed when used memory > 'maxmemory'."));
/// assert!(!code::is_refusal("OOM command not allowed when used memory > 'maxmemory'. script: 1ef3, on @user_script:1."));
/// ```
#[must_use]
pub fn is_refusal(reply: &str) -> bool {
    let (code, text) = split(reply);
    row(code, text).is_some_and(|row| row.is_refusal) && !text.contains(IN_SCRIPT)
}

/// Classifies an error reply by the [table](self): the class, or `Unknown` for a code that is not
/// listed; the mark [unsent](Classification::is_unsent) for a refusal; and the code as the detail
/// `redis`, if it is listed. A script can return any text, so another code is not a detail.
pub fn classify(reply: &str) -> Classification {
    let (code, text) = split(reply);
    classify_parts(code, text)
}

/// Classifies a reply that the client has split into code and text.
pub(crate) fn classify_parts(code: &str, text: &str) -> Classification {
    let Some(row) = row(code, text) else {
        return ErrorClass::Unknown.into();
    };
    let failure = Classification::new(row.class).with_detail(REDIS, row.code);
    if row.is_refusal && !text.contains(IN_SCRIPT) { failure.unsent() } else { failure }
}

/// Splits a reply into its code and its text. A `-`, which opens an error on the wire, is skipped.
fn split(reply: &str) -> (&str, &str) {
    let reply = reply.strip_prefix('-').unwrap_or(reply);
    reply.split_once(' ').unwrap_or((reply, ""))
}

/// The row of a code, where the text can name another code or another class.
fn row(code: &str, text: &str) -> Option<Row> {
    match code {
        "EXECABORT" => {
            let cause = text.split_once(BECAUSE).and_then(|(_, cause)| listed(split(cause).0));
            Some(cause.map_or(refused("EXECABORT", ErrorClass::Permanent), |cause| refused(cause.code, cause.class)))
        }
        "ERR" if text.starts_with("max number of clients") => Some(refused("ERR", ErrorClass::Transient)),
        "ERR" if is_about_auth(text) => Some(refused("ERR", ErrorClass::Auth)),
        _ => listed(code).map(|row| Row { ..*row }),
    }
}

fn listed(code: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.code == code)
}

/// Whether the text of an `ERR` is about credentials: of `AUTH` without a password to check, with
/// a wrong one before Redis 6.0, or with the wrong number of arguments.
fn is_about_auth(text: &str) -> bool {
    const BEGINS: [&str; 3] = ["AUTH ", "Client sent AUTH", "invalid password"];
    BEGINS.iter().any(|begin| text.starts_with(begin)) || text.contains("'auth' command")
}
