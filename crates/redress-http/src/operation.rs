//! The default name of a request in events and metrics.

use http::{Method, Uri};

/// Returns the operation name of a request: its method and path, as in `GET /users/42`.
///
/// The name omits host, query, fragment and credentials. A URI without a path counts as `/`, and
/// `OPTIONS *` is kept. The path is not normalised: if it contains identifiers, name the operation
/// by its route instead, or every user gets a separate metric.
///
/// ```
/// use http::{Method, Uri};
/// use redress::integration::http::default_operation;
///
/// let uri = Uri::from_static("https://api.example.com/users?page=2");
/// assert_eq!(default_operation(&Method::GET, &uri), "GET /users");
/// ```
#[must_use]
pub fn default_operation(method: &Method, uri: &Uri) -> String {
    let path = match uri.path() {
        "" => "/",
        path => path,
    };
    format!("{method} {path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_method_and_the_path() {
        let rows = [
            ("http://h/a/b?q=1#f", "GET /a/b"),
            ("http://h/", "GET /"),
            ("http://h", "GET /"),
            ("http://h?x=1", "GET /"),
            ("http://user:password@h:8080/p;v", "GET /p;v"),
            ("http://h//a//b", "GET //a//b"),
            ("http://h/%20x", "GET /%20x"),
            ("http://h/a/../b", "GET /a/../b"),
            ("/a/b?x", "GET /a/b"),
            ("/", "GET /"),
            ("h:443", "GET /"),
            ("*", "GET *"),
        ];
        for (uri, name) in rows {
            let uri: Uri = uri.parse().expect("a URI");
            assert_eq!(default_operation(&Method::GET, &uri), name, "{uri}");
        }
        assert_eq!(default_operation(&Method::GET, &Uri::default()), "GET /");
    }

    #[test]
    fn an_extension_method_keeps_its_name() {
        let purge = Method::from_bytes(b"PURGE").expect("a method");
        assert_eq!(default_operation(&purge, &Uri::from_static("/cache")), "PURGE /cache");
    }
}
