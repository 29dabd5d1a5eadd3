//! The classes of ureq's errors, each by a real failure.

use std::io::{self, Cursor};
use std::net::TcpStream;
use std::time::Duration;

use redress::integration::ureq::ureq_classifier;
use redress::{Classification, Classifier as _, ErrorClass};
use ureq::config::ConfigBuilder;
use ureq::http::{Request, Response};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::TcpConnector;
use ureq::{Agent, Body, Error, Proxy, SendBody};

use crate::support::{OK, Server, refusing};

pub(crate) fn class_of(result: &Result<Response<Body>, Error>) -> Classification {
    ureq_classifier().classify(result).expect("a failure")
}

fn configured(change: impl FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope>) -> Agent {
    change(Agent::config_builder()).build().into()
}

/// A plain agent of ureq, which turns a bad status into an error.
fn get(uri: String) -> Result<Response<Body>, Error> {
    ureq::agent().get(uri).call()
}

/// Serves one answer, and closes.
fn answer(bytes: &'static [u8]) -> Server {
    Server::start(move |mut peer| {
        peer.next();
        peer.send(bytes);
    })
}

#[track_caller]
fn assert_class(failure: &Classification, class: ErrorClass, is_unsent: bool, label: Option<(&str, &str)>) {
    assert_eq!((failure.class(), failure.is_unsent(), failure.is_abort()), (class, is_unsent, false), "{failure:?}");
    match label {
        Some((key, value)) => assert_eq!(failure.detail(key), Some(value)),
        None => assert!(failure.details().next().is_none(), "{failure:?}"),
    }
}

#[test]
fn no_connection_is_transient_and_certainly_not_acted_on() {
    let refused = class_of(&get(refusing()));
    assert_class(&refused, ErrorClass::Transient, true, Some(("io", "ConnectionRefused")));
    let unknown = class_of(&get("http://redress.invalid/".to_owned()));
    assert_class(&unknown, ErrorClass::Transient, true, Some(("io", "NameLookup")));
}

/// A listener whose queue is full, so that a further connection is never made.
#[cfg(target_os = "linux")]
fn full_listener() -> (socket2::Socket, Vec<TcpStream>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a socket");
    socket.listen(0).expect("a socket");
    let address = socket.local_addr().ok().and_then(|address| address.as_socket()).expect("an address");
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
    let queued = std::iter::from_fn(connect).collect();
    (socket, queued)
}

#[test]
#[cfg(target_os = "linux")]
fn a_timeout_of_connecting_is_certainly_not_acted_on() {
    let (socket, _queued) = full_listener();
    let address = socket.local_addr().ok().and_then(|address| address.as_socket()).expect("an address");
    let agent = configured(|config| config.timeout_connect(Some(Duration::from_millis(30))));
    let result = agent.get(format!("http://{address}/")).call();
    assert!(matches!(result, Err(Error::Timeout(ureq::Timeout::Connect))), "{result:?}");
    let failure = class_of(&result);
    assert_class(&failure, ErrorClass::Transient, true, Some(("timeout", "connect")));
    assert!(failure.is_timeout());
}

#[test]
fn a_connection_that_broke_is_transient() {
    let closed = class_of(&get(answer(b"").uri("/")));
    assert_class(&closed, ErrorClass::Transient, false, Some(("io", "UnexpectedEof")));
    let reset = Server::start(|mut peer| {
        peer.next();
        peer.reset();
    });
    let reset = class_of(&get(reset.uri("/")));
    assert_class(&reset, ErrorClass::Transient, false, Some(("io", "ConnectionReset")));
    let in_the_head = class_of(&get(answer(b"HTTP/1.1 200 OK\r\nContent-Le").uri("/")));
    assert_class(&in_the_head, ErrorClass::Transient, false, Some(("io", "UnexpectedEof")));
}

#[test]
fn an_answer_that_is_not_http_blames_the_server() {
    let rows: [&[u8]; 5] = [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\0\x01\x02\xff\xfe\r\n\r\n",
        b"HTTP/1.1 xyz OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 7, 8\r\n\r\n",
    ];
    for row in rows {
        assert_class(&class_of(&get(answer(row).uri("/"))), ErrorClass::ServerError, false, None);
    }
}

#[test]
fn a_head_without_end_blames_the_server() {
    let server = Server::start(|mut peer| {
        peer.next();
        peer.send("HTTP/1.1 200 OK\r\n");
        while peer.send(format!("X-Filler: {}\r\n", "x".repeat(1000))) {}
    });
    let result = get(server.uri("/"));
    assert!(matches!(result, Err(Error::LargeResponseHeader(..) | Error::Protocol(_))), "{result:?}");
    assert_class(&class_of(&result), ErrorClass::ServerError, false, None);

    let large = Server::answers([format!("HTTP/1.1 200 OK\r\nX-Filler: {}\r\n\r\n", "x".repeat(3000))]);
    let result = configured(|config| config.max_response_header_size(2000)).get(large.uri("/")).call();
    assert!(matches!(result, Err(Error::LargeResponseHeader(..))), "{result:?}");
    assert_class(&class_of(&result), ErrorClass::ServerError, false, None);
}

#[test]
fn a_head_that_never_comes_is_a_timeout() {
    let server = Server::silent();
    let short = Some(Duration::from_millis(30));
    let rows = [
        (configured(|config| config.timeout_recv_response(short)), "receive response"),
        (configured(|config| config.timeout_per_call(short)), "per call"),
        (configured(|config| config.timeout_per_read(short)), "per read"),
        (configured(|config| config.timeout_global(short)), "global"),
    ];
    for (agent, phase) in rows {
        let failure = class_of(&agent.get(server.uri("/")).call());
        assert_class(&failure, ErrorClass::Transient, false, Some(("timeout", phase)));
        assert!(failure.is_timeout());
    }
}

#[test]
fn a_redirect_that_cannot_be_followed_is_permanent() {
    let to = |header: &str| format!("HTTP/1.1 307 ?\r\n{header}Content-Length: 0\r\n\r\n");
    let rows = [
        (get(Server::answers([to("Location: /\r\n")]).uri("/")), "too many redirects"),
        (get(Server::answers([to("")]).uri("/")), "protocol: missing a location header"),
        (ureq::agent().post(Server::answers([to("Location: /\r\n")]).uri("/")).send("order"), "redirect failed"),
    ];
    for (result, text) in rows {
        assert_eq!(result.as_ref().expect_err("no response").to_string(), text);
        assert_class(&class_of(&result), ErrorClass::Permanent, false, None);
    }
}

#[test]
fn a_request_that_ureq_does_not_send_is_permanent() {
    let server = Server::answers([OK]);
    let https_only = configured(|config| config.https_only(true));
    let two_hosts = Request::get(server.uri("/")).header("host", "a").header("host", "b");
    let no_tls =
        Agent::with_parts(ureq::config::Config::default(), TcpConnector::default(), DefaultResolver::default());
    let unsent = [
        get("/orders".to_owned()),
        get("ftp://localhost/".to_owned()),
        get("http://no uri".to_owned()),
        https_only.get(server.uri("/")).call(),
        no_tls.get(server.uri("/").replace("http:", "https:")).call(),
    ];
    for result in &unsent {
        assert_class(&class_of(result), ErrorClass::Permanent, true, None);
    }
    assert!(matches!(&unsent[4], Err(Error::TlsRequired)));
    let protocol = [
        ureq::agent().run(two_hosts.body(()).expect("a request")),
        ureq::agent().run(Request::builder().method("PURGE").uri(server.uri("/")).body(()).expect("a request")),
        ureq::agent().put(server.uri("/")).header("content-length", "1").send("order"),
    ];
    for result in &protocol {
        assert!(matches!(result, Err(Error::Protocol(_))), "{result:?}");
        assert_class(&class_of(result), ErrorClass::Permanent, false, None);
    }
    assert!(server.arrived().is_empty());
}

#[test]
fn a_status_as_an_error_has_the_class_of_the_status() {
    let rows = [
        (503, ErrorClass::ServerError, false),
        (429, ErrorClass::RateLimit, false),
        (404, ErrorClass::Permanent, false),
        (401, ErrorClass::Auth, false),
        (421, ErrorClass::Transient, true),
        (425, ErrorClass::Transient, true),
    ];
    for (status, class, is_unsent) in rows {
        let server = Server::answers([format!("HTTP/1.1 {status} ?\r\nContent-Length: 0\r\n\r\n")]);
        let result = get(server.uri("/"));
        assert!(matches!(result, Err(Error::StatusCode(code)) if code == status), "{result:?}");
        assert_class(&class_of(&result), class, is_unsent, Some(("status", &status.to_string())));
    }
}

#[test]
fn a_proxy_that_refuses_is_not_the_server() {
    let rows = [
        (&b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"[..], ErrorClass::Auth),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", ErrorClass::Transient),
        (b"", ErrorClass::Transient),
    ];
    for (bytes, class) in rows {
        let proxy = Proxy::new(&answer(bytes).uri("")).expect("a proxy");
        let result = configured(|config| config.proxy(Some(proxy))).get("http://127.0.0.1:9/").call();
        assert!(matches!(result, Err(Error::ConnectProxyFailed(_))), "{result:?}");
        assert_class(&class_of(&result), class, true, None);
    }
}

#[test]
fn an_agent_that_was_shut_down_stays_so() {
    let agent = ureq::agent();
    agent.clone().shutdown();
    let failure = class_of(&agent.get(Server::answers([OK]).uri("/")).call());
    assert_class(&failure, ErrorClass::Permanent, true, Some(("io", "NotConnected")));
    // Each sign alone is that of a connection.
    for error in [io::ErrorKind::NotConnected.into(), io::Error::other("Agent is shut down")] {
        let failure = class_of(&Err(Error::Io(error)));
        assert_eq!((failure.class(), failure.is_unsent()), (ErrorClass::Transient, false), "{failure:?}");
    }
}

#[test]
fn an_error_of_the_caller_is_found_inside() {
    let abort = || redress::error::AbortRetryError::new("stop");
    for error in [Error::Io(io::Error::other(abort())), Error::Other(Box::new(abort()))] {
        assert!(class_of(&Err(error)).is_abort());
    }
    let reset = Error::Other(Box::new(io::Error::from(io::ErrorKind::ConnectionReset)));
    assert_class(&class_of(&Err(reset)), ErrorClass::Transient, false, Some(("io", "ConnectionReset")));
}

#[test]
fn what_needs_no_network_has_a_class_too() {
    let unsent = Classification::new(ErrorClass::Transient).unsent();
    assert_eq!(class_of(&Err(Error::HostNotFound)), unsent);
    assert_eq!(class_of(&Err(Error::ConnectionFailed)), unsent);
    assert_class(&class_of(&Err(Error::Io(io::Error::other("?")))), ErrorClass::Transient, false, None);
    assert_class(&class_of(&Err(Error::InvalidProxyUrl)), ErrorClass::Permanent, true, None);
    assert_class(&class_of(&Err(Error::Tls("no certificate"))), ErrorClass::Permanent, false, None);
    assert_class(&class_of(&Err(Error::BodyStalled)), ErrorClass::Transient, false, None);
}

#[test]
fn responses_are_classified_by_the_one_table() {
    let response = |status: u16| {
        let response = Response::builder().status(status).header("retry-after", "7");
        Ok::<_, Error>(response.body(Body::builder().data("")).expect("a response"))
    };
    let failure = class_of(&response(503));
    assert_eq!((failure.class(), failure.retry_after()), (ErrorClass::ServerError, Some(Duration::from_secs(7))));
    for good in [200, 302, 404] {
        assert!(ureq_classifier().classify(&response(good)).is_none());
    }
    assert!(ureq_classifier().classify(&Ok::<_, Error>("text")).is_none());
}

#[test]
fn a_fallback_classifies_what_this_one_does_not() {
    let teapot = redress::classifier(|result: &Result<Response<Body>, Error>| {
        let response = result.as_ref().ok().filter(|response| response.status().as_u16() == 418)?;
        Some(Classification::new(ErrorClass::Transient).with_detail("status", response.status().as_u16().to_string()))
    });
    let response = Response::builder().status(418).body(Body::builder().data("")).expect("a response");
    assert!(ureq_classifier().or_else(teapot).classify(&Ok(response)).is_some());
}

#[test]
fn the_source_of_a_request_may_fail_like_a_connection() {
    // ureq reports both alike, so the class is that of the kind; the body was not received whole.
    struct Fails;
    impl io::Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionAborted.into())
        }
    }
    let body = SendBody::from_owned_reader(io::Read::chain(Cursor::new("or"), Fails));
    let result = ureq::agent().put(Server::silent().uri("/")).send(body);
    assert_class(&class_of(&result), ErrorClass::Transient, false, Some(("io", "ConnectionAborted")));
}
