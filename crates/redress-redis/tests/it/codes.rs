//! The table of codes: every row, alone and with its text.

use redress::ErrorClass::{self, Auth, Permanent, Permission, ServerError, Transient, Unknown};
use redress::integration::redis::code;

use crate::reply::{classify, reply};

const LISTED: &[(&str, ErrorClass, bool)] = &[
    ("LOADING Redis is loading the dataset in memory", Transient, true),
    ("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", Transient, true),
    ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", Transient, true),
    ("CLUSTERDOWN Hash slot not served", Transient, true),
    ("TRYAGAIN Multiple keys request during rehashing of slot", Transient, true),
    ("MOVED 3999 127.0.0.1:6381", Transient, true),
    ("ASK 3999 127.0.0.1:6381", Transient, true),
    ("READONLY You can't write against a read only replica.", Transient, true),
    ("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", Transient, false),
    ("NOMASTERLINK Can't SYNC while not connected with my master", Transient, false),
    ("IOERR error or timeout writing to target instance", Transient, false),
    ("OOM command not allowed when used memory > 'maxmemory'.", ServerError, true),
    ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist", ServerError, true),
    ("NOREPLICAS Not enough good replicas to write.", ServerError, true),
    ("NOAUTH Authentication required.", Auth, true),
    ("WRONGPASS invalid username-password pair or user is disabled.", Auth, true),
    ("NOPERM User app has no permissions to run the 'flushall' command", Permission, true),
    ("DENIED Redis is running in protected mode", Permission, true),
    ("EXECABORT Transaction discarded because of previous errors.", Permanent, true),
    ("NOSCRIPT No matching script. Please use EVAL.", Permanent, true),
    ("CROSSSLOT Keys in request don't hash to the same slot", Permanent, true),
    ("WRONGTYPE Operation against a key holding the wrong kind of value", Permanent, false),
    ("BUSYGROUP Consumer Group name already exists", Permanent, false),
    ("NOGROUP No such key 'mystream' or consumer group 'mygroup'", Permanent, false),
    ("BUSYKEY Target key name already exists.", Permanent, false),
    ("INVALIDOBJ Module key", Permanent, false),
    ("NOPROTO unsupported protocol version", Permanent, false),
    ("NOTBUSY No scripts in execution right now.", Permanent, false),
    ("UNKILLABLE Sorry the script already executed write commands against the dataset.", Permanent, false),
    ("NOSUB 'SUNSUBSCRIBE' command executed not in subscribed mode", Permanent, false),
    ("ERR unknown command 'GTE', with args beginning with: ", Permanent, false),
];

#[test]
fn each_code_has_its_class() {
    for &(line, class, is_refused) in LISTED {
        let code = line.split(' ').next().expect("a code");
        for text in [line, code, &format!("-{line}")] {
            assert_eq!(code::class(text), Some(class), "{text}");
            assert_eq!(code::is_refusal(text), is_refused, "{text}");
            let failure = code::classify(text);
            assert_eq!((failure.class(), failure.is_unsent()), (class, is_refused), "{text}");
            assert_eq!(failure.detail("redis"), Some(code), "{text}");
        }
        let failure = classify(&reply(line));
        assert_eq!((failure.class(), failure.is_unsent()), (class, is_refused), "{line}");
        assert_eq!(failure.detail("redis"), Some(code), "{line}");
    }
}

#[test]
fn a_code_is_a_whole_word() {
    for other in ["BUSYLOADING x", "LOADINGS", "loading", "", "-", " LOADING", "Bad capacity", "SEARCH_INDEX_NOT_FOUND"]
    {
        assert_eq!(code::class(other), None, "{other}");
        assert!(!code::is_refusal(other), "{other}");
        let failure = code::classify(other);
        assert_eq!((failure.class(), failure.is_unsent()), (Unknown, false), "{other}");
        assert_eq!(failure.details().count(), 0, "{other}");
    }
}

#[test]
fn an_err_is_told_by_its_text() {
    let rows = [
        ("ERR max number of clients reached", Transient, true),
        ("ERR max number of clients + cluster connections reached", Transient, true),
        ("ERR AUTH <password> called without any password configured for the default user.", Auth, true),
        ("ERR Client sent AUTH, but no password is set", Auth, true),
        ("ERR invalid password", Auth, true),
        ("ERR wrong number of arguments for 'auth' command", Auth, true),
        ("ERR wrong number of arguments for 'get' command", Permanent, false),
        ("ERR value is not an integer or out of range", Permanent, false),
        ("ERR the max number of clients", Permanent, false),
    ];
    for (line, class, is_refused) in rows {
        let failure = classify(&reply(line));
        assert_eq!((failure.class(), failure.is_unsent()), (class, is_refused), "{line}");
        assert_eq!(failure.detail("redis"), Some("ERR"), "{line}");
        assert_eq!((code::class(line), code::is_refusal(line)), (Some(class), is_refused), "{line}");
    }
    // Only `ERR` is read further.
    assert_eq!(code::class("WRONGTYPE max number of clients reached"), Some(Permanent));
    assert_eq!(code::class("LOADING invalid password"), Some(Transient));
}

#[test]
fn a_discarded_transaction_has_the_class_of_its_cause() {
    let rows = [
        ("EXECABORT Transaction discarded because of: OOM command not allowed", ServerError, "OOM"),
        ("EXECABORT Transaction discarded because of: READONLY You can't write", Transient, "READONLY"),
        ("EXECABORT Transaction discarded because of: IOERR no", Transient, "IOERR"),
        ("EXECABORT Transaction discarded because of: SOMETHING else", Permanent, "EXECABORT"),
        ("EXECABORT Transaction discarded because of previous errors.", Permanent, "EXECABORT"),
    ];
    for (line, class, code) in rows {
        let failure = code::classify(line);
        assert_eq!((failure.class(), failure.is_unsent()), (class, true), "{line}");
        assert_eq!(failure.detail("redis"), Some(code), "{line}");
    }
}

#[test]
fn a_script_may_have_run_up_to_its_failure() {
    for line in [
        "OOM command not allowed when used memory > 'maxmemory'. script: 1ef3, on @user_script:1.",
        "READONLY You can't write against a read only replica. script: f, on @user_function:2.",
    ] {
        assert!(!code::is_refusal(line), "{line}");
        assert!(!code::classify(line).is_unsent(), "{line}");
        assert!(!classify(&reply(line)).is_unsent(), "{line}");
        assert!(code::class(line).is_some(), "{line}");
    }
    // This one is about a script, not from inside one.
    assert!(code::is_refusal("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."));
}
