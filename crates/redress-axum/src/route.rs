//! The route of a request, and the operation's name made of it.

use std::borrow::Cow;

use axum::extract::MatchedPath;
use http::Method;
use redress_http::Head;

/// Returns the route that matched the request, such as `/orders/{id}`, with the prefixes of nested
/// routers.
///
/// `None` in a fallback, and in layers around the router, which run before a route is chosen: axum
/// sets the path for layers inside, added by `Router::layer` or `Router::route_layer`. For a
/// `nest_service`, only the layers inside the nested router have a path.
///
/// ```
/// use redress::integration::axum::{HandlerLayer, matched_path};
/// use redress::integration::http::http_retry_after_classifier;
/// use redress::runtime::tokio::AsyncPolicy;
///
/// let reads = AsyncPolicy::builder().classifier(http_retry_after_classifier()).build()?;
/// let reports = reads.clone();
/// let layer = HandlerLayer::new(reads)
///     .policy_provider(move |head| (matched_path(head) == Some("/reports/{id}")).then(|| reports.clone()));
/// # let _ = layer;
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use]
pub fn matched_path<'r>(head: &Head<'r>) -> Option<&'r str> {
    head.extensions.get::<MatchedPath>().map(MatchedPath::as_str)
}

/// Returns the operation name of a request: its method and the route that matched it, as in
/// `GET /orders/{id}`. The name of a request without a route is the method alone.
///
/// Callers cannot add names, which are as many as routes and methods: no part of the path is in a
/// name, and a method other than those of [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110) and
/// PATCH is `HTTP`. The names are those of OpenTelemetry's conventions for server spans.
///
/// ```
/// use http::Request;
/// use redress::integration::axum::route_operation;
/// use redress::integration::http::Head;
///
/// let unmatched = Request::get("/orders/7").body(()).unwrap();
/// assert_eq!(route_operation(&Head::from_request(&unmatched)), "GET");
/// ```
#[must_use]
pub fn route_operation(head: &Head<'_>) -> Cow<'static, str> {
    let method = method_name(head.method);
    matched_path(head).map_or(Cow::Borrowed(method), |path| format!("{method} {path}").into())
}

/// The caller chooses the method, so a router could be sent any number of them.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "HTTP",
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn named(method: &str) -> String {
        let request = Request::builder().method(method).uri("/orders/7").body(()).expect("a request");
        route_operation(&Head::from_request(&request)).into_owned()
    }

    #[test]
    fn a_request_without_a_route_is_named_by_a_known_method() {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"] {
            assert_eq!(named(method), method);
        }
        for method in ["PURGE", "get", "PROPFIND", "X"] {
            assert_eq!(named(method), "HTTP");
        }
    }
}
