//! Counts in a Redis that is loading and loses connections, with a policy that retries and with one
//! that retries only what certainly did not run.
//!
//! `cargo run -p redress-redis --example counter` uses a stub that it starts itself. Append
//! `-- redis://localhost` to use a server; stop and start it to see more than successes.

use std::io::{self, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;
use std::{env, thread};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands as _, RedisError};
use redress::integration::redis::redis_classifier;
use redress::policy::RetryBuilder;
use redress::runtime::tokio::AsyncPolicy;
use redress::{CallError, Classifier, Retry, classifier, decorrelated_jitter};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::args().nth(1).map_or_else(start_stub, Ok)?;
    let config = ConnectionManagerConfig::new().set_number_of_retries(0);
    let connection = redis::Client::open(url)?.get_connection_manager_with_config(config).await?;

    let eager = AsyncPolicy::builder().classifier(redis_classifier()).retry(retry()).build()?;
    println!("retried whatever failed:");
    tell(count(&eager, &connection).await);

    let careful = AsyncPolicy::builder().classifier(once()).retry(retry()).build()?;
    println!("retried if it certainly did not run:");
    tell(count(&careful, &connection).await);
    tell(count(&careful, &connection).await);
    Ok(())
}

fn retry() -> RetryBuilder {
    Retry::builder().strategy(decorrelated_jitter().base(Duration::from_millis(20))).max_attempts(5)
}

/// The classes of Redis's failures; a command that may have run is not sent again.
fn once() -> impl Classifier<i64, RedisError> {
    classifier(|result: &Result<i64, RedisError>| {
        let failure = redis_classifier().classify(result)?;
        Some(if failure.is_unsent() { failure } else { failure.forbid_retry("may_have_run") })
    })
}

async fn count<C: Classifier<i64, RedisError>>(
    policy: &AsyncPolicy<C>,
    connection: &ConnectionManager,
) -> Result<i64, CallError<RedisError>> {
    policy
        .operation("count")
        .on_retry(|retry| println!("  {retry}"))
        .call(|| {
            let mut connection = connection.clone();
            async move { connection.incr("visitors", 1).await }
        })
        .await
}

fn tell(counted: Result<i64, CallError<RedisError>>) {
    match counted {
        Ok(visitors) => println!("  the server has counted to {visitors}"),
        Err(error) => println!("  {error}"),
    }
}

/// A server with one counter, which is loading for two commands, and loses the connection after
/// its first and its third count.
fn start_stub() -> anyhow::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let url = format!("redis://{}", listener.local_addr()?);
    thread::spawn(move || {
        let (mut loading, mut visitors) = (2, 0);
        for stream in listener.incoming().flatten() {
            // A connection that breaks is followed by the next.
            let _ = serve(&stream, &mut loading, &mut visitors);
        }
    });
    Ok(url)
}

fn serve(stream: &TcpStream, loading: &mut u32, visitors: &mut u32) -> io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    loop {
        if read_command(&mut reader)? != "INCRBY" {
            writer.write_all(b"+OK\r\n")?;
        } else if *loading > 0 {
            *loading -= 1;
            writer.write_all(b"-LOADING Redis is loading the dataset in memory\r\n")?;
        } else {
            *visitors += 1;
            if matches!(*visitors, 1 | 3) {
                return Ok(());
            }
            write!(writer, ":{visitors}\r\n")?;
        }
    }
}

/// Reads an array of bulk strings, and returns the first: the name of the command.
fn read_command(reader: &mut impl io::BufRead) -> io::Result<String> {
    let mut name = None;
    for _ in 0..read_length(reader)? {
        let mut word = vec![0; read_length(reader)? + 2];
        reader.read_exact(&mut word)?;
        name.get_or_insert_with(|| String::from_utf8_lossy(&word).trim_end().to_owned());
    }
    name.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn read_length(reader: &mut impl io::BufRead) -> io::Result<usize> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    line.trim_end().get(1..).and_then(|digits| digits.parse().ok()).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
