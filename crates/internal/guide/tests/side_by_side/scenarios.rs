//! The rows of the page's table: what the server answers, and what is sent to it.

use std::pin::Pin;

use http_body_util::Full;
use reqwest::{Body, Method, Request};

use crate::programs::Program;
use crate::server::{Answer, Server};

pub(crate) const OK: Answer = (200, None);
pub(crate) const BUSY: Answer = (503, Some("0"));
pub(crate) const IN_AN_HOUR: Answer = (503, Some("3600"));

type Count = Pin<Box<dyn Future<Output = usize>>>;

/// A row of the table.
pub(crate) struct Row {
    pub(crate) title: &'static str,
    /// Whether a program may wait for long.
    pub(crate) waits: bool,
    /// Returns the number of requests that arrived.
    pub(crate) run: fn(Program) -> Count,
}

pub(crate) const ROWS: &[Row] = &[
    row("GET: 503 with `Retry-After: 0`, then 200", |program| one(program, &[BUSY, OK], get)),
    Row {
        waits: true,
        ..row("GET: 503 with `Retry-After: 3600`, then 200", |program| one(program, &[IN_AN_HOUR, OK], get))
    },
    row("POST: always 503", |program| one(program, &[BUSY], post)),
    row("POST with an `Idempotency-Key`: 503, then 200", |program| {
        one(program, &[BUSY, OK], |server| {
            let mut request = post(server);
            request.headers_mut().insert("idempotency-key", "7".parse().unwrap());
            request
        })
    }),
    row("POST: 421, then 200", |program| one(program, &[(421, None), OK], post)),
    row("PUT of a stream: always 503", |program| {
        one(program, &[BUSY], |server| {
            let mut request = request(Method::PUT, server);
            *request.body_mut() = Some(Body::wrap(Full::new("a pallet".as_bytes())));
            request
        })
    }),
    row("GET: always 501", |program| one(program, &[(501, None)], get)),
    row("GET: 409, then 200", |program| one(program, &[(409, None), OK], get)),
    row("five GETs to a host with always 503", |program| Box::pin(async move { two_hosts(program).await.0 })),
    row("a GET to another host after that", |program| Box::pin(async move { two_hosts(program).await.1 })),
];

const fn row(title: &'static str, run: fn(Program) -> Count) -> Row {
    Row { title, waits: false, run }
}

fn one(program: Program, answers: &'static [Answer], request: fn(&Server) -> Request) -> Count {
    Box::pin(async move {
        let server = Server::start(answers);
        // The last status or an error: what counts is what arrived.
        let _ = program.client().send(request(&server)).await;
        server.requests()
    })
}

/// The requests that arrived at a host that is down, and then at one that is up.
async fn two_hosts(program: Program) -> (usize, usize) {
    let (down, up, client) = (Server::start(&[BUSY]), Server::start(&[OK]), program.client());
    for _ in 0..5 {
        let _ = client.send(get(&down)).await;
    }
    assert!(client.send(get(&up)).await.is_ok_and(|status| status.is_success()), "{}", program.name);
    (down.requests(), up.requests())
}

fn request(method: Method, server: &Server) -> Request {
    Request::new(method, server.url().parse().unwrap())
}

pub(crate) fn get(server: &Server) -> Request {
    request(Method::GET, server)
}

fn post(server: &Server) -> Request {
    let mut request = request(Method::POST, server);
    *request.body_mut() = Some(Body::from("one of everything"));
    request
}
