//! A TCP client on smol, against a server on this machine that hangs up on the first two
//! connections and ignores the third.
//!
//! `cargo run -p redress-smol --example smol_client`

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use redress::runtime::smol::AsyncPolicy;
use redress::{Retry, decorrelated_jitter};
use smol::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use smol::net::{TcpListener, TcpStream};
use smol::stream::StreamExt as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let retry = Retry::builder().strategy(decorrelated_jitter().base(Duration::from_millis(20))).max_attempts(5);
    let policy = AsyncPolicy::builder()
        .retry(retry)
        .attempt_timeout(Duration::from_millis(200))
        .deadline(Duration::from_secs(10))
        .build()?;
    smol::block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = listener.local_addr()?;
        let serving = smol::spawn(serve(listener));

        let greeting = policy.operation("greeting").before_sleep(|context, delay| {
            let (number, class, cause) = (context.attempt, context.class(), context.cause);
            println!("attempt {number}: {class} ({cause}), again in {delay:.0?}");
        });
        let line = greeting.call(|| fetch(server)).await?;
        println!("the server says {line:?}");
        serving.cancel().await;
        Ok(())
    })
}

async fn fetch(server: SocketAddr) -> io::Result<String> {
    let mut lines = BufReader::new(TcpStream::connect(server).await?).lines();
    let line = lines.next().await;
    line.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))
}

async fn serve(listener: TcpListener) -> io::Result<()> {
    let mut ignored = Vec::new();
    for number in 1.. {
        let (mut stream, _) = listener.accept().await?;
        match number {
            1 | 2 => drop(stream),
            3 => ignored.push(stream),
            _ => stream.write_all(b"hello, at last\n").await?,
        }
    }
    Ok(())
}
