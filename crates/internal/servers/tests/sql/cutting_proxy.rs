//! A proxy that loses the answer to a statement: the server runs it, and the client sees only the
//! end of its connection.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Starts a proxy in front of a server on loopback, and returns its port. It forwards the first
/// message that holds `statement`, waits for the answer, and closes the connection without it.
/// Further connections are forwarded as they are.
pub(crate) async fn start(server: u16, statement: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a socket");
    let port = listener.local_addr().expect("a bound socket").port();
    tokio::spawn(async move {
        let mut cuts_at = Some(statement);
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", server)).await.expect("the server listens");
            tokio::spawn(forward(client, server, cuts_at.take()));
        }
    });
    port
}

async fn forward(mut client: TcpStream, mut server: TcpStream, cuts_at: Option<&str>) {
    let (mut sent, mut answered) = ([0; 8192], [0; 8192]);
    loop {
        let is_forwarded = tokio::select! {
            read = client.read(&mut sent) => match read {
                Ok(length @ 1..) => {
                    let is_last = cuts_at.is_some_and(|statement| holds(&sent[..length], statement));
                    let is_written = server.write_all(&sent[..length]).await.is_ok();
                    if is_last {
                        let _ = server.read(&mut answered).await;
                        return;
                    }
                    is_written
                }
                _ => false,
            },
            read = server.read(&mut answered) => match read {
                Ok(length @ 1..) => client.write_all(&answered[..length]).await.is_ok(),
                _ => false,
            },
        };
        if !is_forwarded {
            return;
        }
    }
}

/// A statement is in one piece: it is the only one that the client has sent.
fn holds(message: &[u8], statement: &str) -> bool {
    message.windows(statement.len()).any(|part| part == statement.as_bytes())
}
