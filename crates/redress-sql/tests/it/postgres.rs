//! The errors of tokio-postgres, each by a real failure over a connection in memory.

use std::error::Error as StdError;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::pin::Pin;
use std::task::{Context, Poll};

use redress::integration::sql::{CommitError, postgres_classifier};
use redress::{Classification, Classifier as _, ErrorClass};
use tokio::io::{AsyncWriteExt as _, ReadBuf};
use tokio_postgres::{Config, Error, NoTls};

use crate::postgres_server::{connect, connect_and_close, error, message, read_some, ready, shown};
use crate::support::{Booking, Seen, Transparent, seen};

fn of<E: StdError + 'static>(error: E) -> Classification {
    postgres_classifier().classify(&Err::<(), E>(error)).expect("a failure")
}

/// The error of connecting to a server that answers with these bytes.
async fn refused_with(answer: &[u8]) -> Error {
    connect(answer).await.0.expect_err("no connection")
}

#[tokio::test]
async fn an_answer_of_the_server_is_classified_by_its_state() {
    for (state, expected) in [
        ("40001", Seen::plain(ErrorClass::Concurrency)),
        ("53300", Seen::unsent(ErrorClass::Transient)),
        ("57P03", Seen::unsent(ErrorClass::Transient)),
        ("28P01", Seen::plain(ErrorClass::Auth)),
        ("3D000", Seen::plain(ErrorClass::Permanent)),
        ("40003", Seen::forbidden(ErrorClass::Transient)),
        ("P0001", Seen::plain(ErrorClass::Unknown)),
    ] {
        let failure = of(refused_with(&error(state)).await);
        assert_eq!((seen(&failure), failure.detail("sqlstate")), (expected, Some(state)));
    }
}

#[tokio::test]
async fn an_error_is_found_below_wrappers() {
    let conflict = async || refused_with(&error("40001")).await;
    for failure in
        [of(Booking(conflict().await)), of(Transparent(conflict().await)), of(CommitError::new(conflict().await))]
    {
        assert_eq!(seen(&failure), Seen::plain(ErrorClass::Concurrency));
    }
    let reset: Result<(), _> = Err(io::Error::from(io::ErrorKind::ConnectionReset));
    assert_eq!(postgres_classifier().classify(&reset).expect("a failure").class(), ErrorClass::Transient);
}

#[tokio::test]
async fn a_connection_that_closes_while_it_is_made_is_transient() {
    let closed = of(connect_and_close().await.expect_err("no connection"));
    assert_eq!(seen(&closed), Seen::plain(ErrorClass::Transient));
}

#[tokio::test]
async fn a_statement_on_a_closed_connection_is_transient_and_unknown_at_commit() {
    let (client, server) = connect(&ready()).await;
    let client = client.expect("a connection");
    drop(server);
    let closed = client.batch_execute("COMMIT").await.expect_err("the connection is closed");
    assert!(closed.is_closed(), "{closed:?}");
    assert_eq!(seen(&of(closed)), Seen::plain(ErrorClass::Transient));
    let again = client.batch_execute("COMMIT").await.expect_err("the connection is closed");
    assert_eq!(seen(&of(CommitError::new(again))), Seen::forbidden(ErrorClass::Transient));
}

#[tokio::test]
async fn a_statement_that_fails_has_its_state() {
    let (client, mut server) = connect(&ready()).await;
    let client = client.expect("a connection");
    let answering = async {
        read_some(&mut server).await;
        let answer = [error("55P03"), message(b'Z', b"I")].concat();
        server.write_all(&answer).await.expect("the client reads");
    };
    let (failed, ()) = tokio::join!(client.batch_execute("LOCK TABLE orders NOWAIT"), answering);
    assert_eq!(seen(&of(failed.expect_err("not locked"))), Seen::plain(ErrorClass::Concurrency));
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_at_fault() {
    let unexpected = of(refused_with(&message(b'C', b"SELECT 1\0")).await);
    assert_eq!(seen(&unexpected), Seen::plain(ErrorClass::ServerError));
    // An error without a SQLSTATE.
    let unreadable = of(refused_with(&message(b'E', b"SERROR\0Mfailed\0\0")).await);
    assert_eq!(seen(&unreadable), Seen::plain(ErrorClass::ServerError));
}

#[tokio::test]
async fn a_login_that_the_client_cannot_make_is_placed() {
    // A password is asked for, and none is configured.
    let missing = of(refused_with(&message(b'R', &[0, 0, 0, 3])).await);
    assert_eq!(seen(&missing), Seen::unsent(ErrorClass::Permanent));
    // Kerberos, which the client does not have.
    let unsupported = of(refused_with(&message(b'R', &[0, 0, 0, 7])).await);
    assert_eq!(seen(&unsupported), Seen::unsent(ErrorClass::Auth));
}

#[tokio::test]
async fn a_configuration_is_permanent() {
    let text = "port=many".parse::<Config>().expect_err("not a port");
    assert_eq!(seen(&of(text)), Seen::unsent(ErrorClass::Permanent));
    let incomplete = Config::new().connect(NoTls).await.err().expect("no host");
    assert_eq!(seen(&of(incomplete)), Seen::unsent(ErrorClass::Permanent));
}

#[tokio::test]
async fn tls_that_the_server_lacks_is_permanent() {
    let (client, mut server) = tokio::io::duplex(4096);
    let mut config = Config::new();
    config.user("redress").ssl_mode(tokio_postgres::config::SslMode::Require);
    let answering = async {
        read_some(&mut server).await;
        server.write_all(b"N").await.expect("the client reads");
    };
    let (refused, ()) = tokio::join!(config.connect_raw(client, Tls), answering);
    assert_eq!(seen(&of(refused.err().expect("no TLS"))), Seen::unsent(ErrorClass::Permanent));
}

/// TLS that is never reached.
struct Tls;

impl tokio_postgres::tls::TlsConnect<tokio::io::DuplexStream> for Tls {
    type Stream = tokio_postgres::tls::NoTlsStream;
    type Error = io::Error;
    type Future = std::future::Ready<Result<Self::Stream, io::Error>>;

    fn connect(self, _: tokio::io::DuplexStream) -> Self::Future {
        std::future::ready(Err(io::Error::other("not reached")))
    }
}

#[tokio::test]
async fn a_refused_connection_is_certainly_not_sent() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let mut config = Config::new();
    config.user("redress").host("127.0.0.1").port(port);
    let failure = of(config.connect(NoTls).await.err().expect("no listener"));
    assert_eq!(seen(&failure), Seen::unsent(ErrorClass::Transient));
    assert_eq!(failure.detail("io"), Some("ConnectionRefused"));
}

/// During a failover, every server is read-only for a while.
#[tokio::test]
async fn a_server_with_other_attributes_than_wanted_is_transient() {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut config = Config::new();
    config.user("redress").host("127.0.0.1").port(port);
    config.target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite);
    let answering = async {
        let (mut server, _) = listener.accept().await.expect("a client");
        for answer in [ready(), shown("on")] {
            read_some(&mut server).await;
            server.write_all(&answer).await.expect("the client reads");
        }
        server
    };
    let (connected, _server) = tokio::join!(config.connect(NoTls), answering);
    assert_eq!(seen(&of(connected.err().expect("it is read-only"))), Seen::unsent(ErrorClass::Transient));
}

/// A connection that breaks without a kind.
struct Broken;

impl tokio::io::AsyncRead for Broken {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::other("broken")))
    }
}

#[tokio::test]
async fn a_connection_that_breaks_without_a_kind_is_transient() {
    let broken = Config::new()
        .user("redress")
        .connect_raw(tokio::io::join(Broken, tokio::io::sink()), NoTls)
        .await
        .err()
        .expect("no connection");
    assert_eq!(seen(&of(broken)), Seen::plain(ErrorClass::Transient));
}

#[tokio::test]
async fn a_statement_that_cannot_be_written_or_read_is_permanent() {
    let (client, mut server) = connect(&ready()).await;
    let client = client.expect("a connection");
    let not_written = client.batch_execute("SELECT '\0'").await.expect_err("it ends at the zero");
    assert_eq!(seen(&of(not_written)), Seen::plain(ErrorClass::Permanent));
    let answering = async {
        read_some(&mut server).await;
        server.write_all(&shown("on")).await.expect("the client reads");
    };
    let (rows, ()) = tokio::join!(client.simple_query("SHOW transaction_read_only"), answering);
    let rows = rows.expect("rows");
    let row = rows.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let no_column = row.expect("a row").try_get("orders").expect_err("no such column");
    assert_eq!(seen(&of(no_column)), Seen::plain(ErrorClass::Permanent));
}

#[tokio::test]
async fn a_socket_that_is_missing_is_transient() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = Config::new();
    config.user("redress").host_path(folder.path());
    let failure = of(config.connect(NoTls).await.err().expect("no socket"));
    assert_eq!(seen(&failure), Seen::unsent(ErrorClass::Transient));
}

#[test]
fn a_timeout_is_told_as_one() {
    let failure = of(Error::__private_api_timeout());
    assert_eq!(seen(&failure), Seen::timeout(ErrorClass::Transient));
}

#[test]
fn a_success_is_none_and_a_fallback_is_called() {
    assert!(postgres_classifier().classify(&Ok::<(), Error>(())).is_none());
    let classifier = postgres_classifier().or_else(|_: &Result<(), io::Error>| Some(ErrorClass::ServerError));
    let unknown = classifier.classify(&Err(io::Error::other("?"))).expect("a failure");
    assert_eq!(unknown.class(), ErrorClass::ServerError);
}
