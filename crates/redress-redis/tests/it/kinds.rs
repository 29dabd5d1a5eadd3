//! The kinds of the client's own errors.

use std::io::{self, ErrorKind as Io};

use redress::Cause;
use redress::ErrorClass::{self, Auth, Permanent, Permission, Transient, Unknown};

use crate::client::{ErrorKind, RedisError, ServerErrorKind};
use crate::reply::classify;

fn own(kind: ErrorKind, text: &'static str) -> RedisError {
    RedisError::from((kind, text))
}

#[test]
fn each_kind_has_its_class() {
    let rows = [
        (ErrorKind::AuthenticationFailed, "AuthenticationFailed", Auth, true),
        (ErrorKind::ClusterConnectionNotFound, "ClusterConnectionNotFound", Transient, true),
        (ErrorKind::MasterNameNotFoundBySentinel, "MasterNameNotFoundBySentinel", Transient, true),
        (ErrorKind::NoValidReplicasFoundBySentinel, "NoValidReplicasFoundBySentinel", Transient, true),
        (ErrorKind::Client, "Client", Permanent, true),
        (ErrorKind::InvalidClientConfig, "InvalidClientConfig", Permanent, true),
        (ErrorKind::EmptySentinelList, "EmptySentinelList", Permanent, true),
        (ErrorKind::RESP3NotSupported, "RESP3NotSupported", Permanent, true),
        (ErrorKind::UnexpectedReturnType, "UnexpectedReturnType", Permanent, false),
        (ErrorKind::Parse, "Parse", Unknown, false),
    ];
    for (kind, name, class, is_unsent) in rows {
        let failure = classify(&own(kind, "it failed"));
        assert_eq!((failure.class(), failure.is_unsent()), (class, is_unsent), "{kind:?}");
        assert_eq!(failure.detail("redis"), Some(name), "{kind:?}");
        assert!(!failure.is_timeout(), "{kind:?}");
    }
}

#[test]
fn what_the_client_makes_of_a_reply_has_the_class_of_its_code() {
    let rows = [
        (ServerErrorKind::BusyLoading, Transient),
        (ServerErrorKind::ReadOnly, Transient),
        (ServerErrorKind::ResponseError, Permanent),
        (ServerErrorKind::NoPerm, Permission),
        (ServerErrorKind::ExecAbort, Permanent),
    ];
    for (kind, class) in rows {
        assert_eq!(classify(&own(kind.into(), "by the client")).class(), class, "{kind:?}");
    }
    let select = RedisError::from((
        ServerErrorKind::ResponseError.into(),
        "could not connect",
        "max number of clients reached".to_owned(),
    ));
    assert_eq!(classify(&select).class(), Transient);
    let failure = classify(&own(ErrorKind::Extension, "LOADING"));
    assert_eq!((failure.class(), failure.details().count()), (Unknown, 0));
}

#[test]
fn a_cluster_client_without_a_map_of_the_slots_has_sent_nothing() {
    for text in ["Missing slot coverage", "Slot refresh error. didn't get any slots from server"] {
        let failure = classify(&own(ErrorKind::Client, text));
        assert_eq!((failure.class(), failure.is_unsent()), (Transient, true), "{text}");
    }
    let failure = classify(&own(ErrorKind::Client, "request wasn't handled due to internal failure"));
    assert_eq!((failure.class(), failure.is_unsent()), (Transient, false));
    let text = "Failed to create initial connections";
    let wrong = RedisError::from((ErrorKind::Io, text, "127.0.0.1:1: Password - AuthenticationFailed".to_owned()));
    let failure = classify(&wrong);
    assert_eq!((failure.class(), failure.is_unsent()), (Auth, true));
    let gone = RedisError::from((ErrorKind::Io, text, "127.0.0.1:1: Connection refused".to_owned()));
    assert_eq!(classify(&gone).class(), Transient);
}

fn of_io(kind: Io) -> RedisError {
    RedisError::from(io::Error::from(kind))
}

#[test]
fn an_io_error_is_told_by_its_kind() {
    let rows: [(Io, ErrorClass, bool, bool); 12] = [
        (Io::ConnectionRefused, Transient, true, false),
        // The socket file of a server that has not started.
        (Io::NotFound, Transient, cfg!(unix), false),
        (Io::AddrNotAvailable, Transient, true, false),
        (Io::TimedOut, Transient, false, true),
        // A blocking socket's read timeout.
        (Io::WouldBlock, Transient, false, true),
        (Io::ConnectionReset, Transient, false, false),
        (Io::BrokenPipe, Transient, false, false),
        (Io::UnexpectedEof, Transient, false, false),
        (Io::HostUnreachable, Transient, false, false),
        (Io::Other, Transient, false, false),
        (Io::PermissionDenied, Permission, false, false),
        // Of TLS: a refused certificate.
        (Io::InvalidData, Permanent, false, false),
    ];
    for (kind, class, is_unsent, is_timeout) in rows {
        let failure = classify(&of_io(kind));
        assert_eq!(
            (failure.class(), failure.is_unsent(), failure.is_timeout()),
            (class, is_unsent, is_timeout),
            "{kind:?}"
        );
        if kind != Io::Other {
            assert_eq!(failure.detail("io"), Some(format!("{kind:?}").as_str()), "{kind:?}");
        }
    }
}

#[test]
fn a_name_that_does_not_resolve_was_sent_nothing() {
    let text = "failed to lookup address information: Name or service not known";
    let failure = classify(&RedisError::from(io::Error::other(text)));
    assert_eq!((failure.class(), failure.is_unsent()), (Transient, true));
}

#[test]
fn an_io_error_without_a_cause_is_a_lost_connection() {
    let failure = classify(&own(ErrorKind::Io, "Multiplexed connection driver unexpectedly terminated"));
    assert_eq!((failure.class(), failure.is_unsent(), failure.is_timeout()), (Transient, false, false));
    assert_eq!(failure.details().count(), 0);
}

#[test]
fn a_timeout_of_the_client_is_the_cause_of_the_failure() {
    use redress::integration::redis::redis_classifier;
    use redress::{Policy, Retry};
    let policy = Policy::builder()
        .classifier(redis_classifier())
        .retry(Retry::builder().max_attempts(1))
        .build()
        .expect("valid");
    let outcome = policy.execute(|| Err::<(), _>(of_io(Io::TimedOut)));
    assert_eq!(outcome.cause(), Some(Cause::Timeout));
}
