//! Traits over reqwest's requests, responses and errors, of the asynchronous client, the blocking
//! client and the middleware.

use http::{Extensions, HeaderMap, Method, StatusCode, Uri};
use redress_core::ErrorClass;
use redress_http::with_evidence;
use reqwest::Url;

/// A request that may be sent more than once.
pub(crate) trait Outgoing: Sized {
    fn method(&self) -> &Method;
    fn url(&self) -> &Url;
    fn headers(&self) -> &HeaderMap;
    /// The same request again, or `None` if its body is a stream.
    fn again(&self) -> Option<Self>;
    /// Whether [`again`](Self::again) makes a request.
    fn is_replayable(&self) -> bool;
}

/// A response.
pub(crate) trait Answer {
    fn status(&self) -> StatusCode;
    /// The URL that answered, after redirects.
    fn url(&self) -> &Url;
    fn extensions_mut(&mut self) -> &mut Extensions;
}

/// An error instead of a response.
pub(crate) trait Refusal {
    /// Whether the last exchange was certainly not acted on.
    fn is_unsent(&self) -> bool;
    /// The error of an attempt without a request to send.
    fn spent() -> Self;
}

macro_rules! request_and_response {
    ($request:ty, $response:ty) => {
        impl Outgoing for $request {
            fn method(&self) -> &Method {
                self.method()
            }

            fn url(&self) -> &Url {
                self.url()
            }

            fn headers(&self) -> &HeaderMap {
                self.headers()
            }

            fn again(&self) -> Option<Self> {
                self.try_clone()
            }

            fn is_replayable(&self) -> bool {
                self.body().is_none_or(|body| body.as_bytes().is_some())
            }
        }

        impl Answer for $response {
            fn status(&self) -> StatusCode {
                self.status()
            }

            fn url(&self) -> &Url {
                self.url()
            }

            fn extensions_mut(&mut self) -> &mut Extensions {
                self.extensions_mut()
            }
        }
    };
}

request_and_response!(reqwest::Request, reqwest::Response);
#[cfg(feature = "blocking")]
request_and_response!(reqwest::blocking::Request, reqwest::blocking::Response);

impl Refusal for reqwest::Error {
    fn is_unsent(&self) -> bool {
        with_evidence(self, ErrorClass::Transient.into()).is_unsent()
    }

    fn spent() -> Self {
        // A URI without a host, which makes no request of reqwest's.
        match reqwest::Request::try_from(http::Request::new("")) {
            Err(error) => error,
            Ok(_) => unreachable!("a URL has a host"),
        }
    }
}

#[cfg(feature = "middleware")]
impl Refusal for reqwest_middleware::Error {
    fn is_unsent(&self) -> bool {
        match self {
            Self::Reqwest(error) => error.is_unsent(),
            // It may be about another request, such as that for a token.
            Self::Middleware(_) => false,
        }
    }

    fn spent() -> Self {
        Self::Reqwest(reqwest::Error::spent())
    }
}

/// The URL as the rules of a client read it. Empty for a URL that is no URI, with which reqwest's
/// request fails.
fn uri_of(url: &Url) -> Uri {
    url.as_str().parse().unwrap_or_default()
}

/// The same if it is read, and otherwise an empty one, which is not allocated.
pub(crate) fn uri_if(is_read: bool, url: &Url) -> Uri {
    if is_read { uri_of(url) } else { Uri::default() }
}

/// Removes user, password, query and fragment from the URL of an error, which prints it.
pub(crate) fn redacted(mut error: reqwest::Error) -> reqwest::Error {
    if let Some(url) = error.url_mut() {
        url.set_query(None);
        url.set_fragment(None);
        // An error means that the URL can have neither.
        let _ = url.set_password(None);
        let _ = url.set_username("");
    }
    error
}
