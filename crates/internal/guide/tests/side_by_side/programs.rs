//! The programs of the page, behind one interface, and reqwest-retry without anything written
//! beside it.

use std::pin::Pin;
use std::time::Duration;

use reqwest::{Request, StatusCode};

/// Short, so that tests do not wait. A wait that counts is `Retry-After`.
const FIRST_WAIT: Duration = Duration::from_micros(1);

/// One of the programs.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    made: fn() -> Box<dyn Client>,
}

pub(crate) const ALONE: Program = Program { name: "alone", made: || Box::new(alone::client(FIRST_WAIT)) };
pub(crate) const BY_HAND: Program = Program { name: "by hand", made: || Box::new(by_hand::made(FIRST_WAIT)) };
pub(crate) const REDRESS: Program = Program { name: "redress", made: || Box::new(with_redress::made(FIRST_WAIT)) };

impl Program {
    pub(crate) fn client(&self) -> Box<dyn Client> {
        // Once is enough; the others fail.
        let _ = rustls::crypto::ring::default_provider().install_default();
        (self.made)()
    }
}

pub(crate) trait Client {
    /// Sends a request, and returns the status of the last response or the text of the error.
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<StatusCode, String>> + '_>>;
}

impl Client for reqwest_middleware::ClientWithMiddleware {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<StatusCode, String>> + '_>> {
        Box::pin(async move {
            let result = self.execute(request).await;
            result.map(|response| response.status()).map_err(|error| error.to_string())
        })
    }
}

mod alone {
    use std::time::Duration;

    use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
    use reqwest_retry::RetryTransientMiddleware;
    use reqwest_retry::policies::ExponentialBackoff;

    pub(super) fn client(first_wait: Duration) -> ClientWithMiddleware {
        let waits = ExponentialBackoff::builder().retry_bounds(first_wait, Duration::from_secs(30));
        let retries = RetryTransientMiddleware::new_with_policy(waits.build_with_max_retries(3));
        ClientBuilder::new(reqwest::Client::new()).with(retries).build()
    }
}

mod by_hand {
    include!(concat!(env!("OUT_DIR"), "/with-reqwest-retry.rs"));

    pub(super) fn made(first_wait: Duration) -> Client {
        client(first_wait).unwrap()
    }
}

mod with_redress {
    use std::pin::Pin;

    use reqwest::{Request, RequestBuilder, StatusCode};

    include!(concat!(env!("OUT_DIR"), "/with-redress.rs"));

    pub(super) fn made(first_wait: Duration) -> Client {
        client(first_wait).unwrap()
    }

    impl super::Client for Client {
        fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<StatusCode, String>> + '_>> {
            let request = RequestBuilder::from_parts(self.client().clone(), request);
            Box::pin(async move {
                let result = Self::send(self, request).await;
                result.map(|response| response.status()).map_err(|error| error.to_string())
            })
        }
    }
}
