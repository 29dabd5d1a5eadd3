//! The key of a request's host: host and port, in one spelling.

use std::fmt::{self, Write as _};
use std::ops::Deref;

use http::Uri;

/// A host name has at most 253 characters, and a port 6 with its colon.
const SHORT: usize = 260;

/// The host and port of a URI as a key, for a breaker for each host: in lower case, with the
/// scheme's default port, and without user and password. Dereferences to `str`.
///
/// ```
/// use http::Uri;
/// use redress::integration::http::HostKey;
///
/// let uri = Uri::from_static("https://user:password@API.example.com/orders");
/// assert_eq!(HostKey::of(&uri).as_deref(), Some("api.example.com:443"));
/// assert_eq!(HostKey::of(&Uri::from_static("/orders")).as_deref(), None);
/// ```
///
/// Making one does not allocate, unless the host is longer than a host name may be.
#[derive(Clone)]
pub struct HostKey(Text);

#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a key lives on the stack, for one lookup")]
enum Text {
    Short { length: usize, bytes: [u8; SHORT] },
    Long(String),
}

impl HostKey {
    /// Returns the key of this URI's host. `None` for a URI without a host, such as the target of a
    /// request that has only a path. Without a port, and with a scheme other than `http`, `https`,
    /// `ws` and `wss`, the key is the host alone.
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        let authority = uri.authority()?;
        // Without user and password.
        let host = authority.host();
        if host.is_empty() {
            return None;
        }
        let mut key = Self(Text::Short { length: 0, bytes: [0; SHORT] });
        key.push(host);
        key.make_lower_case();
        if let Some(port) = authority.port_u16().or_else(|| default_port(uri.scheme_str()?)) {
            // Writing to a key does not fail.
            let _ = write!(key, ":{port}");
        }
        Some(key)
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // Whole strings were pushed, so the bytes are UTF-8.
            Text::Short { length, bytes } => bytes.get(..*length).and_then(as_utf8).unwrap_or_default(),
            Text::Long(text) => text,
        }
    }

    fn push(&mut self, more: &str) {
        match &mut self.0 {
            Text::Short { length, bytes } => match bytes.get_mut(*length..*length + more.len()) {
                Some(place) => {
                    place.copy_from_slice(more.as_bytes());
                    *length += more.len();
                }
                None => self.0 = Text::Long(format!("{}{more}", self.as_str())),
            },
            Text::Long(text) => text.push_str(more),
        }
    }

    fn make_lower_case(&mut self) {
        match &mut self.0 {
            Text::Short { bytes, .. } => bytes.make_ascii_lowercase(),
            Text::Long(text) => text.make_ascii_lowercase(),
        }
    }
}

fn as_utf8(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn default_port(scheme: &str) -> Option<u16> {
    let of = |names: [&str; 2]| names.iter().any(|name| scheme.eq_ignore_ascii_case(name));
    if of(["http", "ws"]) {
        Some(80)
    } else if of(["https", "wss"]) {
        Some(443)
    } else {
        None
    }
}

impl fmt::Write for HostKey {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.push(more);
        Ok(())
    }
}

impl Deref for HostKey {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_key() {
        let rows = [
            ("http://h", Some("h:80")),
            ("http://h:80/a?b", Some("h:80")),
            ("http://h:/a", Some("h:80")),
            ("HTTP://H.Example/", Some("h.example:80")),
            ("https://h/", Some("h:443")),
            ("https://h:443/", Some("h:443")),
            ("https://h:0443/", Some("h:443")),
            ("http://h:443/", Some("h:443")),
            ("https://h:8443/", Some("h:8443")),
            ("ws://h/", Some("h:80")),
            ("WSS://h/", Some("h:443")),
            ("ftp://h/", Some("h")),
            ("ftp://h:21/", Some("h:21")),
            ("http://user:password@h/", Some("h:80")),
            ("http://user:8080@h/", Some("h:80")),
            ("http://USER@h:81/", Some("h:81")),
            ("http://[::1]/", Some("[::1]:80")),
            ("http://u@[2001:DB8::1]:8080/", Some("[2001:db8::1]:8080")),
            ("h:443", Some("h:443")),
            ("/h:80/a", None),
            ("*", None),
        ];
        for (given, key) in rows {
            let uri: Uri = given.parse().expect("a URI");
            assert_eq!(HostKey::of(&uri).as_deref(), key, "{given}");
        }
    }

    #[test]
    fn a_host_of_any_length_has_a_key() {
        for length in [SHORT - 4, SHORT - 3, SHORT - 2, SHORT, SHORT + 1, 5_000] {
            let host = "A".repeat(length);
            let uri: Uri = format!("http://{host}/").parse().expect("a URI");
            let key = HostKey::of(&uri).expect("it has a host");
            assert_eq!(key.to_string(), format!("{}:80", host.to_ascii_lowercase()));
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let key = HostKey::of(&Uri::from_static("http://user:password@h/")).expect("it has a host");
        assert_eq!(format!("{key} {key:?}"), "h:80 \"h:80\"");
    }
}
