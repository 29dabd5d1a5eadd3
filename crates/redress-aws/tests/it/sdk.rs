//! What the SDK's own client reports about a scripted server, classified.

use std::time::Duration;

use aws_sdk_sqs::config::timeout::TimeoutConfig;
use redress::Classification;
use redress::ErrorClass::{self, Auth, Permanent, RateLimit, ServerError, Transient, Unknown};
use redress::integration::aws::aws_classifier;

use crate::stub::{Stub, answer, client, queues, refusal, refusing};

/// The classification of the failure of one request to this server.
async fn failure_at(client: &aws_sdk_sqs::Client) -> Classification {
    let error = client.list_queues().send().await.expect_err("a failure");
    aws_classifier().classify_error(&error)
}

async fn failure_of(answer: impl Into<String>) -> Classification {
    let stub = Stub::answers([answer.into()]);
    let failure = failure_at(&stub.client()).await;
    assert_eq!(stub.count(), 1, "the SDK sent the request again");
    failure
}

#[tokio::test]
async fn codes_of_the_json_protocol() {
    let rows = [
        (400, "ThrottlingException", RateLimit, true),
        (400, "com.amazonaws.sqs#RequestThrottled:http://internal.amazon.com/coral/", RateLimit, true),
        (503, "SlowDown", RateLimit, true),
        (400, "RequestTimeout", Transient, false),
        (403, "InvalidClientTokenId", Auth, false),
        (400, "ExpiredTokenException", Auth, false),
        (400, "AccessDeniedException", ErrorClass::Permission, false),
        (400, "ValidationException", Permanent, false),
        (500, "InternalFailure", ServerError, false),
        (404, "Unheard", Permanent, false),
        (503, "Unheard", ServerError, false),
    ];
    for (status, code, class, is_unsent) in rows {
        let failure = failure_of(refusal(status, code)).await;
        assert_eq!((failure.class(), failure.is_unsent()), (class, is_unsent), "{status} {code}");
        assert_eq!(failure.detail("status"), Some(status.to_string()).as_deref());
        let name = code.split(':').next().and_then(|code| code.rsplit('#').next());
        assert_eq!(failure.detail("aws"), name, "{status} {code}");
    }
}

#[tokio::test]
async fn a_code_in_the_body() {
    let failure =
        failure_of(answer(400, "", r#"{"__type":"com.amazonaws.sqs#RequestThrottled","message":"no"}"#)).await;
    assert_eq!((failure.class(), failure.detail("aws")), (RateLimit, Some("RequestThrottled")));
}

#[tokio::test]
async fn a_code_of_the_query_protocol() {
    let header = "x-amzn-query-error: Throttling;Sender\r\nx-amzn-errortype: Other\r\n";
    let failure = failure_of(answer(400, header, "{}")).await;
    assert_eq!((failure.class(), failure.detail("aws")), (RateLimit, Some("Throttling")));
}

#[tokio::test]
async fn answers_without_a_code_are_judged_by_status() {
    for (status, class) in
        [(500, ServerError), (502, ServerError), (503, ServerError), (429, RateLimit), (404, Permanent)]
    {
        for body in ["{}", "", "<html>a proxy's page</html>"] {
            let failure = failure_of(answer(status, "", body)).await;
            assert_eq!((failure.class(), failure.detail("aws")), (class, None), "{status} {body}");
            assert_eq!(failure.detail("status"), Some(status.to_string()).as_deref());
        }
    }
}

#[tokio::test]
async fn the_service_says_how_long_to_wait() {
    let rows = [
        ("x-amz-retry-after: 1500\r\n", Some(1500)),
        ("Retry-After: 2\r\n", Some(2000)),
        ("x-amz-retry-after: 1500\r\nRetry-After: 2\r\n", Some(2000)),
        ("x-amz-retry-after: soon\r\n", None),
    ];
    for (headers, millis) in rows {
        let failure = failure_of(answer(500, headers, "{}")).await;
        assert_eq!(failure.retry_after(), millis.map(Duration::from_millis), "{headers}");
    }
}

#[tokio::test]
async fn broken_answers() {
    let rows = [
        ("closed before the head", String::new(), Transient),
        ("a head that was cut off", "HTTP/1.1 200 OK\r\nContent-Le".to_owned(), Transient),
        ("no HTTP", "220 smtp.example.com ESMTP\r\n\r\n".to_owned(), ServerError),
        ("a body that was cut off", queues().replace("Content-Length: ", "Content-Length: 1"), Transient),
        // The service has done what was asked, and its answer says nothing more.
        ("a body that is no JSON", answer(200, "", "<html></html>"), Unknown),
        ("half of a JSON body", answer(200, "", r#"{"QueueUrls":["#), Unknown),
    ];
    for (what, answer, class) in rows {
        let failure = failure_of(answer).await;
        assert_eq!(
            (failure.class(), failure.is_unsent(), failure.is_timeout()),
            (class, false, false),
            "{what}: {failure:?}"
        );
    }
}

#[tokio::test]
async fn no_connection() {
    let failure = failure_at(&client(&refusing(), |settings| settings)).await;
    assert_eq!((failure.class(), failure.is_unsent()), (Transient, true));
    assert_eq!(failure.detail("io"), Some("ConnectionRefused"));
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let failure = failure_at(&client("http://nowhere.invalid", |settings| settings)).await;
    assert_eq!((failure.class(), failure.is_unsent()), (Transient, true), "{failure:?}");
}

#[tokio::test]
async fn an_endpoint_that_is_none() {
    for uri in ["::", "no url", "ftp://localhost"] {
        let failure = failure_at(&client(uri, |settings| settings)).await;
        assert_eq!((failure.class(), failure.is_unsent()), (Permanent, true), "{uri} {failure:?}");
    }
}

#[tokio::test]
async fn a_slow_service() {
    let stub = Stub::silent();
    let settings = [
        TimeoutConfig::builder().read_timeout(Duration::from_millis(20)),
        TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(20)),
        TimeoutConfig::builder().operation_timeout(Duration::from_millis(20)),
    ];
    for timeouts in settings {
        let slow = client(&stub.uri(), |settings| settings.timeout_config(timeouts.build()));
        let failure = failure_at(&slow).await;
        assert_eq!(
            (failure.class(), failure.is_unsent(), failure.is_timeout()),
            (Transient, false, true),
            "{failure:?}"
        );
    }
}
