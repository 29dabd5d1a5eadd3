//! A server that speaks as much of PostgreSQL's protocol as a client needs to fail.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_postgres::{Client, Config, Error, NoTls};

/// A message of the server: its type, its length and its body.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a short message");
    [&[kind][..], &length.to_be_bytes(), body].concat()
}

/// An `ErrorResponse` with this SQLSTATE.
pub(crate) fn error(state: &str) -> Vec<u8> {
    message(b'E', format!("SERROR\0VERROR\0C{state}\0Mfailed\0\0").as_bytes())
}

/// Lets a client in: no password, and ready for a query.
pub(crate) fn ready() -> Vec<u8> {
    [message(b'R', &[0, 0, 0, 0]), message(b'Z', b"I")].concat()
}

/// Answers a query by one row with this text in its one column.
pub(crate) fn shown(text: &str) -> Vec<u8> {
    let column = [&[0, 1][..], b"transaction_read_only\0", &[0; 18]].concat();
    let length = u32::try_from(text.len()).expect("a short text");
    let row = [&[0, 1][..], &length.to_be_bytes(), text.as_bytes()].concat();
    [message(b'T', &column), message(b'D', &row), message(b'C', b"SHOW\0"), message(b'Z', b"I")].concat()
}

/// Connects to a server that reads the first message and answers with these bytes. Returns the
/// server's end of the connection.
pub(crate) async fn connect(answer: &[u8]) -> (Result<Client, Error>, DuplexStream) {
    let (client, mut server) = tokio::io::duplex(4096);
    let answering = async {
        read_some(&mut server).await;
        server.write_all(answer).await.expect("the client reads");
        server
    };
    let mut config = Config::new();
    config.user("redress");
    let connecting = config.connect_raw(client, NoTls);
    let (connected, server) = tokio::join!(connecting, answering);
    let connected = connected.map(|(client, connection)| {
        tokio::spawn(connection);
        client
    });
    (connected, server)
}

/// Connects to a server that closes instead of an answer.
pub(crate) async fn connect_and_close() -> Result<Client, Error> {
    let (client, server) = tokio::io::duplex(4096);
    drop(server);
    let mut config = Config::new();
    config.user("redress").connect_raw(client, NoTls).await.map(|(client, _)| client)
}

pub(crate) async fn read_some(server: &mut (impl AsyncRead + Unpin)) {
    let read = server.read(&mut [0; 1024]).await.expect("the client writes");
    assert!(read > 0);
}
