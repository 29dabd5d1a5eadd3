//! The database: a stub that stores one line for each connection. During its outage the port is
//! closed and refuses connections.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// The server, which the outage script stops and starts.
pub(crate) struct Database {
    address: SocketAddr,
    /// The task that listens, while the database is up.
    listens: Option<JoinHandle<()>>,
    /// During the outage, a socket that reserves the port without listening.
    keeps: Option<TcpSocket>,
}

impl Database {
    /// Serves on a free port.
    pub(crate) async fn serve() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok(Self { address, listens: Some(tokio::spawn(accept(listener))), keeps: None })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port.
    pub(crate) async fn stop(&mut self) -> io::Result<()> {
        if let Some(listens) = self.listens.take() {
            listens.abort();
            // By now, the listener is dropped.
            let _ = listens.await;
        }
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        self.keeps = Some(socket);
        Ok(())
    }

    /// Opens it again.
    pub(crate) fn start(&mut self) -> io::Result<()> {
        if let Some(socket) = self.keeps.take() {
            self.listens = Some(tokio::spawn(accept(socket.listen(64)?)));
        }
        Ok(())
    }
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(store(stream));
    }
}

async fn store(mut stream: TcpStream) -> io::Result<()> {
    BufReader::new(&mut stream).read_line(&mut String::new()).await?;
    stream.write_all(b"stored").await
}

/// The client: stores one order over one connection.
pub(crate) async fn insert(address: SocketAddr, order: u32) -> io::Result<()> {
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(format!("order {order}\n").as_bytes()).await?;
    connection.read_exact(&mut [0; 6]).await?;
    Ok(())
}
