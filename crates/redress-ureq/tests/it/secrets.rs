//! User, password and query of a URI are in no text and no label.

use redress::integration::ureq::ureq_classifier;
use redress::{Classifier as _, StopReason};
use ureq::Agent;

use crate::support::{BUSY, OK, Server, agent, policy};
use redress::integration::ureq::RetryingAgent;

const SECRET: &str = "secret";

fn assert_silent(outcome: &redress::integration::ureq::RequestOutcome) {
    let error = outcome.last_error().expect("an error");
    let labels = format!("{:?}", outcome.last_classification());
    for text in [error.to_string(), format!("{error:?}"), labels, format!("{:?}", outcome.summary())] {
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn errors_print_no_secret_of_the_uri() {
    let https_only: Agent = Agent::config_builder().https_only(true).build().into();
    let https_only = RetryingAgent::new(https_only, policy(2));
    let outcome = https_only.get("http://user:secret@localhost/orders?token=secret").execute();
    assert_silent(&outcome);
    let text = outcome.last_error().expect("an error").to_string();
    assert_eq!(text, "configured for https only: http://localhost/orders");

    let no_host = agent(2).get("/orders?token=secret").execute();
    assert_silent(&no_host);
    assert_eq!((no_host.attempts(), no_host.stop_reason()), (1, Some(StopReason::NonRetryableClass)));
}

#[test]
fn errors_print_no_secret_of_a_redirect() {
    let locations = [&b"\xff?token=secret"[..], b"ftp://user:secret@localhost/?token=secret", b"http://user:secret@/"];
    for location in locations {
        let location = location.to_vec();
        let server = Server::start(move |mut peer| {
            while peer.next().is_some() {
                peer.send(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ");
                peer.send(&location);
                peer.send(b"\r\n\r\n");
            }
        });
        let outcome = agent(1).get(server.uri("/")).execute();
        assert_silent(&outcome);
    }
}

#[test]
fn user_and_password_are_not_sent() {
    let server = Server::answers([BUSY, OK]);
    let uri = server.uri("/").replace("http://", "http://user:secret@");
    assert!(agent(2).get(uri).run().is_ok());
    for arrived in server.arrived() {
        assert!(!arrived.head.iter().any(|line| line.contains(SECRET)), "{arrived:?}");
    }
}

#[test]
fn a_request_prints_no_secret() {
    let agent = agent(1);
    let request = agent.get("http://user:secret@localhost/orders?token=secret").header("authorization", "secret");
    let printed = format!("{request:?} {agent:?}");
    assert!(printed.contains("http://localhost/orders") && !printed.contains(SECRET), "{printed}");
    assert!(printed.contains("RetryingRequest {") && printed.contains("RetryingAgent {"), "{printed}");
}

#[test]
fn labels_hold_no_part_of_a_uri() {
    let error = ureq::Error::BadUri("http://secret is missing host".to_owned());
    let failure = ureq_classifier().classify(&Err::<(), _>(error)).expect("a failure");
    assert!(!format!("{failure:?}").contains(SECRET));
}
