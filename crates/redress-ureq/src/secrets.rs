//! Removes the secrets of URLs from ureq's errors, which print them.

use http::Uri;
use redress_http::Redacted;
use ureq::Error;

/// Removes user, password and query from the URLs that an error prints.
pub(crate) fn redacted(error: Error) -> Error {
    match error {
        Error::BadUri(text) => Error::BadUri(without_secrets(&text)),
        Error::RequireHttpsOnly(uri) => Error::RequireHttpsOnly(without_secrets(&uri)),
        // It prints the server's `Location`, which may hold a token.
        Error::Protocol(error) if format!("{error:?}").starts_with("BadLocationHeader(") => Error::RedirectFailed,
        other => other,
    }
}

/// `text` is a URI, or a URI and what is wrong with it.
fn without_secrets(text: &str) -> String {
    let (uri, rest) = text.split_at(text.find(' ').unwrap_or(text.len()));
    match uri.parse::<Uri>() {
        Ok(uri) => format!("{}{rest}", Redacted(&uri)),
        Err(_) => rest.trim_start().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_prints_where_without_secrets() {
        let rows = [
            ("http://user:secret@h/a?token=secret is missing host", "http://h/a is missing host"),
            ("/a?token=secret is missing scheme", "/a is missing scheme"),
            ("user:secret@h is missing scheme", "h is missing scheme"),
            ("unknown scheme: ftp", "unknown scheme: ftp"),
            ("http://user:secret@h:80/?token=secret", "http://h:80/"),
            ("\u{7f}secret is missing scheme", "is missing scheme"),
        ];
        for (text, left) in rows {
            assert_eq!(redacted(Error::BadUri(text.to_owned())).to_string(), format!("bad uri: {left}"));
            let https = redacted(Error::RequireHttpsOnly(text.to_owned())).to_string();
            assert_eq!(https, format!("configured for https only: {left}"));
        }
    }
}
