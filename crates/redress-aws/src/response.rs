//! The answers of a service as redress-http reads them: statuses and hints.

use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use http::header::{AGE, CONNECTION, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use redress_core::{Classification, ErrorClass};
use redress_http::classify;

/// The wait that AWS's services ask for, in milliseconds.
const AMZ_RETRY_AFTER: &str = "x-amz-retry-after";

/// The failure by its status alone, with the hints of its headers. `None` if the status says
/// nothing about why this is an error.
pub(crate) fn by_status(response: &HttpResponse) -> Option<Classification> {
    let status = StatusCode::from_u16(response.status().as_u16()).ok()?;
    let failure = classify(status, &headers(response), SystemTime::now())?;
    let wait = hint(failure.class(), response);
    Some(failure.with_retry_after(wait))
}

/// The failure of this class, with the status and the hints of its response.
pub(crate) fn of_class(class: ErrorClass, response: &HttpResponse) -> Classification {
    let failure = Classification::new(class).with_retry_after(hint(class, response));
    failure.with_detail("status", response.status().as_u16().to_string())
}

/// The longest wait that the headers ask for. A hint is no reason to retry what is never retried.
fn hint(class: ErrorClass, response: &HttpResponse) -> Option<Duration> {
    if !class.is_retryable() {
        return None;
    }
    let of_http = redress_http::retry_after(&headers(response), SystemTime::now());
    of_amz(response).max(of_http)
}

/// Digits only, as the SDK reads it. Several headers are satisfied by the longest.
fn of_amz(response: &HttpResponse) -> Option<Duration> {
    let values = response.headers().get_all(AMZ_RETRY_AFTER);
    values.filter_map(|value| value.trim().parse().ok()).map(Duration::from_millis).max()
}

/// The headers that [`classify`] reads. smithy's headers are of another type, which converts into
/// this one only with its response.
fn headers(response: &HttpResponse) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in [RETRY_AFTER, DATE, AGE, CONNECTION] {
        for value in response.headers().get_all_bytes(name.as_str()) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(name.clone(), value);
            }
        }
    }
    headers
}
