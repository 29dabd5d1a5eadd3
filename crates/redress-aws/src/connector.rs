//! Failures without a response: the connection, the request, or the credentials.

use std::error::Error;
use std::fmt::{self, Write as _};

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::retry::ErrorKind;
use redress_core::classify::source_chain;
use redress_core::{Classification, ErrorClass};
use redress_http::{classify_client, classify_handshake, with_evidence};

/// The class of a failure whose retry the SDK or the service's model decided on. A client error
/// that may be retried is one that heals.
pub(crate) const fn of_kind(kind: ErrorKind) -> ErrorClass {
    match kind {
        ErrorKind::ThrottlingError => ErrorClass::RateLimit,
        ErrorKind::ServerError => ErrorClass::ServerError,
        _ => ErrorClass::Transient,
    }
}

/// Classifies the connector's error.
pub(crate) fn classify_connector(error: &ConnectorError) -> Classification {
    if error.is_user() {
        return of_the_caller(error);
    }
    let failure = if error.is_timeout() {
        with_evidence(error, Classification::new(ErrorClass::Transient).timed_out())
    } else if error.is_io() {
        with_evidence(error, classify_handshake(error).unwrap_or(ErrorClass::Transient).into())
    } else if let Some(kind) = error.as_other() {
        with_evidence(error, of_kind(kind).into())
    } else {
        before_sending(error).unwrap_or_else(|| classify_client(error))
    };
    if never_connected(error) { failure.unsent() } else { failure }
}

/// A request that the connector refuses to send. hyper reports a body that fails on the way as the
/// caller's error, too.
fn of_the_caller(error: &ConnectorError) -> Classification {
    if source_chain(error).any(|error| prints(error, "hyper::Error(User(")) {
        return classify_client(error);
    }
    Classification::new(ErrorClass::Permanent).unsent()
}

/// Classifies an error of what the SDK does before it sends a request: loading credentials and
/// choosing the endpoint. These errors are of crates that this one does not depend on, and known by
/// their `Debug` output.
pub(crate) fn before_sending(error: &(dyn Error + 'static)) -> Option<Classification> {
    const ROWS: [(&str, Row); 5] = [
        ("CredentialsNotLoaded(", |_| ErrorClass::Auth.into()),
        ("ProviderTimedOut(", |_| Classification::new(ErrorClass::Transient).timed_out()),
        ("InvalidConfiguration(", |_| ErrorClass::Permanent.into()),
        ("ProviderError(", of_provider),
        ("ResolveEndpointError {", |_| ErrorClass::Permanent.into()),
    ];
    source_chain(error).find_map(|error| {
        let (_, row) = ROWS.iter().find(|(beginning, _)| prints(error, beginning))?;
        Some(row(error).unsent())
    })
}

type Row = fn(&(dyn Error + 'static)) -> Classification;

/// What the provider's own request failed with, as for a role to assume.
fn of_provider(error: &(dyn Error + 'static)) -> Classification {
    let connector = source_chain(error).find_map(|error| error.downcast_ref());
    connector.map_or_else(|| ErrorClass::Unknown.into(), classify_connector)
}

/// smithy records whether a connection was made, and tells it only in its `Debug` output.
fn never_connected(error: &ConnectorError) -> bool {
    format!("{error:?}").ends_with(", connection: NeverConnected }")
}

/// Whether the `Debug` output begins with this. Prints no more than needed: the errors of some
/// steps print the whole request.
fn prints(error: &(dyn Error + 'static), beginning: &str) -> bool {
    let mut rest = Rest(beginning);
    // An error means that the result is known before the end of the text.
    let _ = write!(rest, "{error:?}");
    rest.0.is_empty()
}

/// What is still expected. Empty once it was found.
struct Rest<'e>(&'e str);

impl fmt::Write for Rest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match self.0.strip_prefix(text) {
            Some(rest) => {
                self.0 = rest;
                return Ok(());
            }
            None if text.starts_with(self.0) => self.0 = "",
            None => {}
        }
        Err(fmt::Error)
    }
}
