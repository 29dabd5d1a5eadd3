//! Streams: no call is retried after the first message, and none waits for messages that come
//! later.

use redress_core::{ErrorClass, StopReason};
use redress_grpc_fixture::EchoClient;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Status};
use tower_layer::Layer;

use crate::echo::{Answer, ping, serve};
use crate::lab::{Lab, ended, told};

#[tokio::test]
async fn a_server_stream_is_tried_again_until_its_first_message() {
    let (server, lab) = (serve().await, Lab::default());
    // Before the head; after it, without a message; then a stream.
    server.script.then_fail(Status::unavailable("1")).then(Answer::FailAfter(0, Status::unavailable("2")));

    let answer = lab.client(server.channel(), 5).many(ping("abc")).await;

    assert_eq!(told(&answer), (3, None));
    let pongs: Vec<_> = answer.expect("a stream").into_inner().map(|pong| pong.expect("a pong").text).collect().await;
    assert_eq!(pongs, ["a", "b", "c"]);
}

#[tokio::test]
async fn after_the_first_message_a_failure_is_the_callers() {
    let (server, lab) = (serve().await, Lab::default());
    server.script.then(Answer::FailAfter(1, Status::unavailable("gone")));

    let answer = lab.client(server.channel(), 5).many(ping("abc")).await;

    assert_eq!(told(&answer), (1, None));
    let mut pongs = answer.expect("a stream").into_inner();
    assert_eq!(pongs.message().await.expect("a message").map(|pong| pong.text).as_deref(), Some("a"));
    assert_eq!(pongs.message().await.expect_err("the failure").code(), Code::Unavailable);
    assert_eq!(server.script.seen().len(), 1);
}

#[tokio::test]
async fn a_server_stream_without_messages_is_a_success() {
    let (server, lab) = (serve().await, Lab::default());
    let answer = lab.client(server.channel(), 5).many(ping("")).await;
    assert_eq!(told(&answer), (1, None));
    assert!(answer.expect("a stream").into_inner().message().await.expect("an end").is_none());
}

#[tokio::test]
async fn an_endless_stream_that_the_client_drops_ends_at_the_server() {
    let (mut server, lab) = (serve().await, Lab::default());
    server.script.then(Answer::Endless);
    let answer = lab.client(server.channel(), 5).many(ping("x")).await;
    let mut pongs = answer.expect("a stream").into_inner();
    for _ in 0..100 {
        assert!(pongs.message().await.expect("a message").is_some());
    }
    drop(pongs);
    server.dropped.recv().await.expect("the server hears of it");
}

#[tokio::test]
async fn a_stream_that_is_silent_is_handed_over_at_its_head_where_asked() {
    let (server, lab) = (serve().await, Lab::default());
    server.script.then(Answer::Silence);
    let layer = lab.layer(5).return_on_headers(|head| head.uri.path().ends_with("/Many"));
    let answer = EchoClient::new(layer.layer(server.channel())).many(ping("x")).await;
    assert_eq!(told(&answer), (1, None));
}

#[tokio::test]
async fn a_call_that_is_skipped_is_handed_over_as_it_comes() {
    let (server, lab) = (serve().await, Lab::default());
    server.script.then(Answer::Silence);
    let layer = lab.layer(5).bypass_if(|_| true);
    let answer = EchoClient::new(layer.layer(server.channel())).many(ping("x")).await;
    assert_eq!(told(&answer), (1, None));
}

#[tokio::test]
async fn requests_that_are_all_there_are_sent_again() {
    let (server, lab) = (serve().await, Lab::default());
    server.script.then_fail(Status::unavailable("1"));
    let pings = tokio_stream::iter(["a", "b", "c"].map(ping));
    let answer = lab.client(server.channel(), 5).gather(pings).await;
    assert_eq!(told(&answer), (2, None));
    assert_eq!(answer.expect("an answer").into_inner().text, "abc");
}

#[tokio::test]
async fn a_request_that_still_comes_is_sent_once_and_says_why() {
    let (server, lab) = (serve().await, Lab::default());
    server.script.then_fail(Status::unavailable("1"));
    let (sender, receiver) = mpsc::unbounded_channel();
    sender.send(ping("a")).expect("open");
    let mut client = lab.client(server.channel(), 5);

    let answer = client.gather(UnboundedReceiverStream::new(receiver)).await;

    assert_eq!(told(&answer), (1, Some(StopReason::RetryForbidden)));
    assert_eq!(ended(&answer).retry_forbidden(), Some("streaming_request"));
    assert_eq!(ended(&answer).last_class(), Some(ErrorClass::Transient));
    assert_eq!(answer.expect_err("a failure").code(), Code::Unavailable);
    assert_eq!(server.script.seen().len(), 1);
}

#[tokio::test]
async fn what_came_before_and_after_the_call_began_arrives_in_order() {
    let (mut server, lab) = (serve().await, Lab::default());
    let (sender, receiver) = mpsc::unbounded_channel();
    sender.send(ping("a")).expect("open");
    let mut client = lab.client(server.channel(), 5);
    let call = tokio::spawn(async move { client.gather(UnboundedReceiverStream::new(receiver)).await });
    server.arrived.recv().await.expect("the call is under way");
    for text in ["b", "c"] {
        sender.send(ping(text)).expect("open");
    }
    drop(sender);
    let answer = call.await.expect("no panic");
    assert_eq!(told(&answer), (1, None));
    assert_eq!(answer.expect("an answer").into_inner().text, "abc");
}

#[tokio::test]
async fn a_conversation_does_not_wait_for_its_own_end() {
    let (server, lab) = (serve().await, Lab::default());
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut client = lab.client(server.channel(), 5);

    let answer = client.chat(UnboundedReceiverStream::new(receiver)).await;

    assert_eq!(told(&answer), (1, None));
    let mut pongs = answer.expect("a stream").into_inner();
    for text in ["a", "b", "c"] {
        // The next ping is sent when the pong to the last one is here.
        sender.send(ping(text)).expect("open");
        assert_eq!(pongs.message().await.expect("a message").map(|pong| pong.text).as_deref(), Some(text));
    }
    drop(sender);
    assert!(pongs.message().await.expect("an end").is_none());
}

#[tokio::test]
async fn a_request_too_large_to_keep_is_sent_once_and_whole() {
    let (server, lab) = (serve().await, Lab::default());
    let layer = lab.layer(5).max_replay_bytes(100);
    let mut client = EchoClient::new(layer.layer(server.channel()));
    let text = "x".repeat(100);
    server.script.then_fail(Status::unavailable("1"));
    let answer = client.once(ping(&text)).await;
    assert_eq!(told(&answer), (1, Some(StopReason::RetryForbidden)));
    assert_eq!(ended(&answer).retry_forbidden(), Some("request_too_large"));

    let answer = client.once(ping(&text)).await;
    assert_eq!(answer.expect("an answer").into_inner().text, text);

    // By default, 64 KiB are kept.
    server.script.then_fail(Status::unavailable("1"));
    let answer = lab.client(server.channel(), 5).once(ping(&"x".repeat(65_528))).await;
    assert_eq!(ended(&answer).retry_forbidden(), Some("request_too_large"));
    server.script.then_fail(Status::unavailable("1"));
    let answer = lab.client(server.channel(), 5).once(ping(&"x".repeat(65_527))).await;
    assert_eq!(told(&answer), (2, None));

    // 100 bytes with the prefix of five and the field's two.
    server.script.then_fail(Status::unavailable("1"));
    assert_eq!(told(&client.once(ping(&text[..93])).await), (2, None));
}
