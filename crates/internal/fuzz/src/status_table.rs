//! A second implementation of the documented table from status to class.

use redress_core::ErrorClass;

/// The expected result of `ErrorClass::from_status`.
pub(crate) fn class_of(status: u16) -> Option<ErrorClass> {
    let class = match status {
        401 | 407 | 511 => ErrorClass::Auth,
        403 => ErrorClass::Permission,
        408 | 421 | 425 => ErrorClass::Transient,
        409 | 423 => ErrorClass::Concurrency,
        429 => ErrorClass::RateLimit,
        501 | 505 | 506 | 508 | 510 => ErrorClass::Permanent,
        _ if status / 100 == 4 => ErrorClass::Permanent,
        _ if status / 100 == 5 => ErrorClass::ServerError,
        _ => return None,
    };
    Some(class)
}
