//! The class of HTTP/2's errors, and what may be sent again after each.

use redress_core::{Classifier, ErrorClass};
use redress_fixtures::FrameServer;
use redress_fixtures::frames::{goaway, ok, reset};
use redress_reqwest::{RetryingClient, reqwest_classifier};

use crate::support::{TestPolicy, plain, policy};

const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;
const HTTP_1_1_REQUIRED: u32 = 13;

fn http2() -> RetryingClient<TestPolicy> {
    RetryingClient::new(plain().http2_prior_knowledge().build().unwrap(), policy())
}

#[tokio::test]
async fn each_code_has_its_class() {
    let rows = [
        (REFUSED_STREAM, "REFUSED_STREAM", ErrorClass::Transient, true),
        (CANCEL, "CANCEL", ErrorClass::Transient, false),
        (INTERNAL_ERROR, "INTERNAL_ERROR", ErrorClass::Transient, false),
        (ENHANCE_YOUR_CALM, "ENHANCE_YOUR_CALM", ErrorClass::RateLimit, false),
        (HTTP_1_1_REQUIRED, "HTTP_1_1_REQUIRED", ErrorClass::Permanent, false),
    ];
    for (code, label, class, is_unsent) in rows {
        let server = FrameServer::answers(move |_, stream| reset(stream, code)).await;
        let result = http2().client().get(server.uri().to_string()).send().await;
        let failure = reqwest_classifier().classify(&result).unwrap();
        assert_eq!((failure.class(), failure.is_unsent()), (class, is_unsent), "{label}");
        assert_eq!(failure.detail("http2"), Some(label));
    }
}

#[tokio::test]
async fn a_goaway_below_the_stream() {
    for code in [NO_ERROR, ENHANCE_YOUR_CALM] {
        let server = FrameServer::answers(move |_, _| goaway(0, code)).await;
        let result = http2().client().get(server.uri().to_string()).send().await;
        let failure = reqwest_classifier().classify(&result).unwrap();
        let class = if code == NO_ERROR { ErrorClass::Transient } else { ErrorClass::RateLimit };
        assert_eq!((failure.class(), failure.is_unsent()), (class, true), "{code}");
    }
}

#[tokio::test]
async fn a_post_that_http2_refused_is_sent_again() {
    type Answer = fn(u32) -> Vec<u8>;
    let rows: [(Answer, u32); 4] = [
        (|stream| reset(stream, REFUSED_STREAM), 2),
        (|_| goaway(0, NO_ERROR), 2),
        (|stream| reset(stream, CANCEL), 1),
        (|stream| reset(stream, INTERNAL_ERROR), 1),
    ];
    for (number, (answer, attempts)) in rows.into_iter().enumerate() {
        let server =
            FrameServer::answers(move |count, stream| if count == 0 { answer(stream) } else { ok(stream) }).await;
        let outcome = http2().post(server.uri().to_string()).body("order").execute().await;
        assert_eq!(outcome.attempts(), attempts, "{number}: {outcome:?}");
        assert_eq!(server.heard().0 as u32, attempts, "{number}");
    }
}

#[tokio::test]
async fn a_stream_is_not_sent_again_after_a_refusal() {
    let server = FrameServer::answers(|_, stream| reset(stream, REFUSED_STREAM)).await;
    let body = reqwest::Body::wrap(http_body_util::Full::new(bytes::Bytes::from("order")));
    let outcome = http2().put(server.uri().to_string()).body(body).execute().await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("streaming_body")));
}
