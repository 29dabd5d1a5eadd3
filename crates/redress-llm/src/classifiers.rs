//! The classifiers of both vendors: of errors for operations that return what they made of a
//! response, and of responses for those that return one.

use std::error::Error;
use std::time::SystemTime;

use redress_core::classify::source_chain;
use redress_core::{Classification, ErrorClass};
use redress_http::classify_client;

use crate::error_response::ErrorResponse;
use crate::stream::StreamError;
use crate::vendor::Vendor;

/// Defines a classifier of errors and one of responses by the vendor `VENDOR` of the module.
macro_rules! classifiers {
    (
        $(#[$of_errors:meta])* $errors:ident
        $(#[$makes_errors:meta])* $make_errors:ident
        $(#[$of_responses:meta])* $responses:ident
        $(#[$makes_responses:meta])* $make_responses:ident
    ) => {
        $(#[$of_errors])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $errors;

        $(#[$makes_errors])*
        #[must_use]
        pub const fn $make_errors() -> $errors {
            $errors
        }

        impl $errors {
            /// Adds a fallback: `other` classifies the errors that this classifier does not
            /// recognise, and every value.
            pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
                OrElse::new(self, other)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<T, E: Error + 'static> Classifier<T, E> for $errors {
            fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
                result.as_ref().err().map(|error| classify_error(error))
            }
        }

        $(#[$of_responses])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $responses;

        $(#[$makes_responses])*
        #[must_use]
        pub const fn $make_responses() -> $responses {
            $responses
        }

        impl $responses {
            /// Adds a fallback: `other` classifies the errors that this classifier does not
            /// recognise, and the responses that it calls a success.
            pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
                OrElse::new(self, other)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<B: AsRef<[u8]>, E: Error + 'static> Classifier<Response<B>, E> for $responses {
            fn classify(&self, result: &Result<Response<B>, E>) -> Option<Classification> {
                match result {
                    // Asked first, so that a success does not read the clock.
                    Ok(response) if response.status().as_u16() < 400 => None,
                    Ok(response) => {
                        classify(response.status(), response.headers(), response.body(), SystemTime::now())
                    }
                    Err(error) => Some(classify_error(error)),
                }
            }
        }
    };
}

/// Classifies an error by the response or the stream in its source chain, else as redress-http
/// classifies a client's error.
pub(crate) fn classify_error(vendor: &Vendor, error: &(dyn Error + 'static)) -> Classification {
    let by_client = classify_client(error);
    if by_client.is_abort() {
        return by_client;
    }
    if let Some(failure) = source_chain(error).find_map(|error| of_one(vendor, error)) {
        return failure;
    }
    #[cfg(feature = "reqwest")]
    let by_client = crate::reqwest::of_client(error, by_client);
    by_client
}

fn of_one(vendor: &Vendor, error: &(dyn Error + 'static)) -> Option<Classification> {
    if let Some(error) = error.downcast_ref::<StreamError>() {
        return Some(error.classification().clone());
    }
    let response = error.downcast_ref::<ErrorResponse>()?;
    let failure = vendor.classify(response.status(), response.headers(), response.kept(), SystemTime::now());
    Some(failure.unwrap_or_else(|| ErrorClass::Unknown.into()))
}
