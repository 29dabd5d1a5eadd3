//! Names of error types, the last resort of the classifier. The order of the guesses never stops
//! retries if a word means a missing answer.

use std::error::Error;
use std::fmt;

use redress_core::classify::strict_classifier;
use redress_core::{ErrorClass, default_classifier};

use super::{Named, Source, Wrapper};

#[track_caller]
fn check(name: &'static str, class: ErrorClass) {
    let errors: [Source; 2] = [Named(name).into(), Wrapper(Named(name).into()).into()];
    for error in errors {
        assert_eq!(default_classifier().classify_error(&*error).class(), class, "{name}");
        assert_eq!(strict_classifier().classify_error(&*error).class(), ErrorClass::Unknown, "{name}, strictly");
    }
}

#[test]
fn a_name_is_guessed_from_last_and_never_by_the_strict_one() {
    let rows = [
        ("AuthFailed", ErrorClass::Auth),
        ("Unauthorized", ErrorClass::Auth),
        ("UnauthorizedAccess", ErrorClass::Auth),
        ("BadCredentials", ErrorClass::Auth),
        ("Forbidden", ErrorClass::Permission),
        ("MissingPermission", ErrorClass::Permission),
        ("ReadTimeout", ErrorClass::Transient),
        ("TimedOut", ErrorClass::Transient),
        ("Elapsed", ErrorClass::Transient),
        ("ConnectionLost", ErrorClass::Transient),
        ("connection_lost", ErrorClass::Transient),
        ("Unavailable", ErrorClass::Unknown),
        ("Custom", ErrorClass::Unknown),
        ("", ErrorClass::Unknown),
        // Only the identifier that comes first is the name.
        ("Query { cause: Timeout }", ErrorClass::Unknown),
        ("\"connection timeout\"", ErrorClass::Unknown),
        ("Timeout { query: 7 }", ErrorClass::Transient),
        ("ReadTimeout(\"forbidden\")", ErrorClass::Transient),
    ];
    for (name, class) in rows {
        check(name, class);
    }
}

#[test]
fn a_timeout_wins_over_other_words_in_the_name() {
    for stopping in ["Auth", "OAuth", "Author", "Unauthorized", "Credential", "Forbidden", "Permission", "Denied"] {
        for timeout in ["Timeout", "TimedOut", "Elapsed", "TimeoutConnection"] {
            for name in [format!("{stopping}{timeout}"), format!("{timeout}{stopping}")] {
                check(name.leak(), ErrorClass::Transient);
            }
        }
    }
}

#[test]
fn what_failed_on_the_way_is_no_refusal_unless_the_name_says_so() {
    let rows = [
        ("OAuthConnectionClosed", ErrorClass::Transient),
        ("CredentialConnection", ErrorClass::Transient),
        ("AuthServerUnavailable", ErrorClass::Unknown),
        ("CredentialStoreUnreachable", ErrorClass::Unknown),
        ("AuthThrottled", ErrorClass::Unknown),
        ("OAuthServerError", ErrorClass::Unknown),
        ("TemporaryAuthFailure", ErrorClass::Unknown),
        ("AuthOverloadDenied", ErrorClass::Auth),
        ("UnauthorizedConnection", ErrorClass::Auth),
        ("ConnectionUnauthorised", ErrorClass::Auth),
        ("AuthConnectionDenied", ErrorClass::Auth),
        ("ForbiddenConnection", ErrorClass::Permission),
        ("ConnectionPermission", ErrorClass::Permission),
        ("AuthForbiddenUnavailable", ErrorClass::Auth),
        ("ConnectionDenied", ErrorClass::Transient),
    ];
    for (name, class) in rows {
        check(name, class);
    }
}

#[test]
fn an_author_is_no_authority() {
    for name in ["AuthorNotFound", "CoAuthor", "AuthoredElsewhere", "author_missing"] {
        check(name, ErrorClass::Unknown);
    }
    for name in
        ["NotAuthorized", "NotAuthorised", "AuthorizationFailed", "MyAuthority", "AuthoritativeNo", "AuthorAuth"]
    {
        check(name, ErrorClass::Auth);
    }
}

/// An error whose `Debug` continues after a write error.
struct Stubborn;

impl fmt::Debug for Stubborn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in ["Foo", " { why: ", "timeout"] {
            let _ = f.write_str(part);
        }
        Ok(())
    }
}

impl fmt::Display for Stubborn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed")
    }
}

impl Error for Stubborn {}

#[test]
fn a_name_ends_where_its_identifier_ends() {
    assert_eq!(default_classifier().classify_error(&Stubborn).class(), ErrorClass::Unknown);
}

#[test]
fn a_long_name_is_looked_at_as_far_as_it_goes() {
    let long: &'static str = Box::leak("Timeout".repeat(30).into_boxed_str());
    assert_eq!(default_classifier().classify_error(&Named(long)).class(), ErrorClass::Transient);
}
