//! The class of an error of the client.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redress_core::classify::{default_classifier, source_chain, strict_classifier};
use redress_core::{Classification, ErrorClass};

use crate::client::{Client, Reply, Situation};
use crate::code::{REDIS, classify_parts};

/// How the client prints a transaction whose commands could not be queued.
const DISCARDED: &str = "Transaction aborted: ";

/// How the client prints that `EXEC` was answered by an error.
const NO_TRANSACTION: &str = "Invalid response when parsing multi response";

/// How the cluster client prints that it has no map of the slots, no node for one, or that its task
/// ended before the command was handled.
const NO_SLOTS: [&str; 2] = ["Missing slot coverage", "Slot refresh error"];
const NOT_HANDLED: &str = "request wasn't handled";

/// The beginning of std's message for a name that does not resolve; std has no error kind for it.
const LOOKUP_FAILED: &str = "failed to lookup address information";

/// Classifies one error of a chain, if it is the client's or an error reply.
pub(crate) fn classify<E: Client>(error: &(dyn Error + 'static)) -> Option<Classification> {
    match is::<E>(error) {
        Some(error) => Some(of_client(error)),
        None => is::<E::Reply>(error).map(of_reply),
    }
}

/// The error as `E`, also inside an `Arc` or `Box`, whose `source()` skips it.
fn is<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    error
        .downcast_ref::<E>()
        .or_else(|| error.downcast_ref::<Arc<E>>().map(|shared| &**shared))
        .or_else(|| error.downcast_ref::<Box<E>>().map(|boxed| &**boxed))
}

fn of_client<E: Client>(error: &E) -> Classification {
    // Of one command. A pipeline has no source, even if one of its commands failed.
    if let Some(reply) = error.source().and_then(|source| source.downcast_ref::<E::Reply>()) {
        return of_reply(reply);
    }
    if let Some(worst) = error.replies().iter().map(of_reply).max_by_key(|failure| severity(failure.class())) {
        return of_several(&worst, error.to_string().starts_with(DISCARDED));
    }
    match error.situation() {
        Situation::Io => of_io(error),
        Situation::Reply => classify_parts(error.reply_code().unwrap_or_default(), error.text()),
        Situation::Credentials(kind) => named(ErrorClass::Auth, kind).unsent(),
        Situation::NoNode(kind) => named(ErrorClass::Transient, kind).unsent(),
        Situation::Client(kind) => found_before_sending(&error.to_string(), kind),
        Situation::Caller(kind) => named(ErrorClass::Permanent, kind).unsent(),
        // The reply to `EXEC`, of which the client keeps nothing.
        Situation::Conversion(kind) if error.to_string().starts_with(NO_TRANSACTION) => {
            named(ErrorClass::Unknown, kind)
        }
        Situation::Conversion(kind) => named(ErrorClass::Permanent, kind),
        Situation::Parse(kind) => named(ErrorClass::Unknown, kind),
        Situation::Other => default_classifier().classify_error(error),
    }
}

fn of_reply<R: Reply>(reply: &R) -> Classification {
    classify_parts(reply.code(), reply.text())
}

/// The failure of a pipeline or transaction. The commands that did not fail have run, unless the
/// whole transaction was discarded.
fn of_several(worst: &Classification, is_discarded: bool) -> Classification {
    let failure = worst.detail(REDIS).map_or_else(
        || Classification::new(worst.class()),
        |code| Classification::new(worst.class()).with_detail(REDIS, code.to_owned()),
    );
    if is_discarded { failure.unsent() } else { failure }
}

/// Orders the classes of a pipeline's failures: a retry fails for the worst of them.
const fn severity(class: ErrorClass) -> u8 {
    match class {
        ErrorClass::Auth => 5,
        ErrorClass::Permission => 4,
        ErrorClass::Permanent => 3,
        ErrorClass::ServerError => 1,
        ErrorClass::Transient => 0,
        // `Unknown`: the table of codes has no other class.
        _ => 2,
    }
}

fn found_before_sending(printed: &str, kind: &'static str) -> Classification {
    if printed.starts_with(NOT_HANDLED) {
        return named(ErrorClass::Transient, kind);
    }
    let is_without_slots = NO_SLOTS.iter().any(|begin| printed.starts_with(begin));
    named(if is_without_slots { ErrorClass::Transient } else { ErrorClass::Permanent }, kind).unsent()
}

fn of_io<E: Client>(error: &E) -> Classification {
    // The cluster client prints why it could not connect to its first nodes.
    if error.text().contains("AuthenticationFailed") {
        return named(ErrorClass::Auth, "AuthenticationFailed").unsent();
    }
    let failure = strict_classifier().classify_error(error);
    let io = source_chain(error).find_map(|error| error.downcast_ref::<io::Error>());
    if error.is_refused() || io.is_some_and(is_of_connecting) {
        return labelled(io, ErrorClass::Transient).unsent();
    }
    match failure.class() {
        _ if error.is_time_up() => labelled(io, ErrorClass::Transient).timed_out(),
        ErrorClass::Unknown => labelled(io, ErrorClass::Transient),
        _ => failure,
    }
}

/// Whether a connection could not be made, so that nothing was sent.
fn is_of_connecting(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.to_string().starts_with(LOOKUP_FAILED)
}

/// A class with the label that the core gives the `io::Error`.
fn labelled(io: Option<&io::Error>, class: ErrorClass) -> Classification {
    let label = io.and_then(|error| strict_classifier().classify_error(error).detail("io").map(str::to_owned));
    match label {
        Some(kind) => Classification::new(class).with_detail("io", kind),
        None => class.into(),
    }
}

fn named(class: ErrorClass, kind: &'static str) -> Classification {
    Classification::new(class).with_detail(REDIS, kind)
}
