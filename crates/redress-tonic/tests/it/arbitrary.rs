//! Arbitrary responses, without a socket: a call ends with a result for any head and trailers.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame};
use proptest::collection::vec;
use proptest::prelude::*;
use redress_grpc_fixture::EchoClient;
use redress_tonic::outcome;
use tower_layer::Layer;

use crate::echo::ping;
use crate::lab::Lab;

/// One frame of a body.
#[derive(Clone, Debug)]
enum Piece {
    Data(Vec<u8>),
    Trailers(HeaderMap),
}

struct Pieces(VecDeque<Piece>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| {
            Ok(match piece {
                Piece::Data(data) => Frame::data(data.into()),
                Piece::Trailers(trailers) => Frame::trailers(trailers),
            })
        }))
    }
}

fn value() -> impl Strategy<Value = HeaderValue> {
    let likely = prop::sample::select(vec![
        "0",
        "2",
        "14",
        "17",
        "",
        "-1",
        "250",
        "AP//",
        "%zz%ff",
        "application/grpc",
        "text/html",
    ]);
    prop_oneof![
        likely.prop_map(HeaderValue::from_static),
        vec(any::<u8>(), 0..12).prop_filter_map("a header's value", |bytes| HeaderValue::from_bytes(&bytes).ok()),
    ]
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    let names = prop::sample::select(vec![
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "grpc-retry-pushback-ms",
        "content-type",
        "x-other",
    ]);
    vec((names, value()), 0..6).prop_map(|pairs| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        headers
    })
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    vec(prop_oneof![vec(any::<u8>(), 0..8).prop_map(Piece::Data), headers().prop_map(Piece::Trailers)], 0..4)
}

proptest! {
    #[test]
    fn a_call_ends_with_an_answer(
        status in prop_oneof![Just(200_u16), 100_u16..1000],
        headers in headers(),
        pieces in pieces(),
    ) {
        let channel = tower::service_fn(move |_: Request<tonic::body::Body>| {
            let mut response = Response::new(Pieces(pieces.clone().into()));
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            *response.headers_mut() = headers.clone();
            async move { Ok::<_, Infallible>(response) }
        });
        let lab = Lab::default();
        let mut client = EchoClient::new(lab.layer(3).layer(channel));
        let answer = lab.clock.block_on(client.once(ping("x")));
        let attempts = outcome(&answer).map(redress_core::OutcomeSummary::attempts);
        prop_assert!(attempts.is_none_or(|attempts| (1..=3).contains(&attempts)), "{:?}", attempts);
    }
}
