//! Removes secrets from URIs: user and password before sending, and the query as well before
//! printing.

use std::fmt;

use http::Uri;
use http::uri::Authority;

/// Removes user and password from a URI: `http://user:password@host/` becomes `http://host/`.
///
/// They are not allowed in a request's target ([RFC 9110, section
/// 4.2.4](https://www.rfc-editor.org/rfc/rfc9110#section-4.2.4), and of `:authority` [RFC 9113,
/// section 8.3.1](https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1)), and would end up in the
/// server's logs. This function does not turn them into an `Authorization` header; the caller sets
/// it if needed.
///
/// ```
/// use http::Uri;
/// use redress::integration::http::strip_userinfo;
///
/// let mut uri = Uri::from_static("http://user:password@example.com:8080/orders?page=2");
/// strip_userinfo(&mut uri);
/// assert_eq!(uri, "http://example.com:8080/orders?page=2");
/// ```
pub fn strip_userinfo(uri: &mut Uri) {
    let Some((_, host)) = uri.authority().and_then(|authority| authority.as_str().rsplit_once('@')) else { return };
    let Ok(host) = host.parse::<Authority>() else { return };
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(host);
    // Only the authority is shorter, so the parts still form a URI.
    if let Ok(stripped) = Uri::from_parts(parts) {
        *uri = stripped;
    }
}

/// Prints a URI without user, password and query.
///
/// ```
/// use http::Uri;
/// use redress::integration::http::Redacted;
///
/// let uri = Uri::from_static("https://user:password@example.com/orders?token=7");
/// assert_eq!(Redacted(&uri).to_string(), "https://example.com/orders");
/// ```
#[derive(Clone, Copy)]
pub struct Redacted<'u>(pub &'u Uri);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.0;
        if let Some(scheme) = uri.scheme_str() {
            write!(f, "{scheme}://")?;
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        f.write_str(authority.rsplit('@').next().unwrap_or_default())?;
        f.write_str(uri.path())
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_go_and_everything_else_stays() {
        let rows = [
            ("http://user:password@h:80/a?b", "http://h:80/a?b"),
            ("http://user@h", "http://h/"),
            ("http://user:password@[::1]:80/", "http://[::1]:80/"),
            ("http://h/a@b?c@d", "http://h/a@b?c@d"),
            ("http://h/", "http://h/"),
            ("/a?b", "/a?b"),
            ("h:443", "h:443"),
            ("*", "*"),
        ];
        for (given, left) in rows {
            let mut uri: Uri = given.parse().expect("a URI");
            strip_userinfo(&mut uri);
            assert_eq!(uri.to_string(), left);
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let rows = [("http://user:password@h:80/a?b=secret", "http://h:80/a"), ("/a?secret", "/a"), ("h:443", "h:443")];
        for (given, printed) in rows {
            let uri: Uri = given.parse().expect("a URI");
            assert_eq!(format!("{} {:?}", Redacted(&uri), Redacted(&uri)), format!("{printed} {printed}"));
        }
    }
}
