//! A command-line tool without a runtime. It requests a line from a server, with a custom error
//! type and a classifier for it. Ctrl-C ends a wait at once, with the exit code of an interrupt.
//!
//! `cargo run -p redress --example blocking_cli` uses a server that it starts itself. Append
//! `-- NAME ...` to request other names.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

use anyhow::Context as _;
use redress::{
    AbortHandle, Attempt, CallError, Classification, ErrorClass, Policy, Retry, decorrelated_jitter, error_classifier,
};

/// The errors of the tool.
#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("the connection failed")]
    Connection(#[from] io::Error),
    #[error("the server is busy for another {0:?}")]
    Busy(Duration),
    #[error("the server has nothing by {0}")]
    Nothing(String),
    #[error("the server said {0:?}, which makes no sense")]
    Garbled(String),
}

/// Classifies each error. A new variant does not compile until it has a class.
fn classify(error: &QuoteError) -> Classification {
    match error {
        QuoteError::Connection(_) => ErrorClass::Transient.into(),
        QuoteError::Busy(wait) => Classification::new(ErrorClass::RateLimit).with_retry_after(*wait),
        QuoteError::Nothing(_) | QuoteError::Garbled(_) => ErrorClass::Permanent.into(),
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let interrupted = AbortHandle::new();
    let on_ctrl_c = interrupted.clone();
    ctrlc::set_handler(move || on_ctrl_c.abort()).context("could not listen for Ctrl-C")?;
    let server = start_server().context("could not start the server")?;
    let mut names: Vec<String> = env::args().skip(1).collect();
    if names.is_empty() {
        names = ["hopper", "unknown"].map(String::from).into();
    }

    let policy = Policy::builder()
        .retry(Retry::builder().strategy(decorrelated_jitter().base(Duration::from_millis(50))))
        .classifier(error_classifier(classify))
        .attempt_timeout(Duration::from_secs(1))
        .deadline(Duration::from_secs(5))
        .abort_on(&interrupted)
        .build()?;
    let quote = policy.operation("quote").on_retry(|retry| println!("  {retry}"));

    for name in names {
        println!("{name}:");
        match quote.call_with(|attempt| fetch(server, &name, attempt)) {
            Ok(line) => println!("  {line}"),
            // The server has answered, so the tool continues with the next name.
            Err(CallError::Failed(failed)) if matches!(failed.error, QuoteError::Nothing(_)) => {
                println!("  {} ({failed})", failed.error);
            }
            Err(CallError::Aborted(aborted)) => {
                println!("  {aborted}");
                return Ok(ExitCode::from(130)); // 128 + SIGINT, as a shell reports it
            }
            Err(error) => return Err(error).with_context(|| format!("no quote by {name}")),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One attempt. A blocking operation cannot be interrupted, so it passes its time limit to the
/// socket.
fn fetch(server: SocketAddr, name: &str, attempt: Attempt) -> Result<String, QuoteError> {
    let mut stream = match attempt.time_left() {
        Some(time) => TcpStream::connect_timeout(&server, time)?,
        None => TcpStream::connect(server)?,
    };
    stream.set_read_timeout(attempt.time_left())?;
    writeln!(stream, "{name}")?;

    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    match line.trim_end().split_once(' ') {
        Some(("quote", text)) => Ok(text.to_owned()),
        Some(("busy", wait)) => {
            Err(wait.parse().map(Duration::from_millis).map_or_else(|_| QuoteError::Garbled(line), QuoteError::Busy))
        }
        Some(("nothing", _)) => Err(QuoteError::Nothing(name.to_owned())),
        _ if line.is_empty() => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        _ => Err(QuoteError::Garbled(line)),
    }
}

/// A server that drops its first connection, is busy for the second, and then works.
fn start_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for (visitor, stream) in (1..).zip(listener.incoming()) {
            // A client that disconnects must not stop the server.
            let _ = stream.and_then(|stream| serve(stream, visitor));
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream, visitor: u32) -> io::Result<()> {
    let mut name = String::new();
    BufReader::new(&stream).read_line(&mut name)?;
    match (visitor, name.trim()) {
        (1, _) => Ok(()),
        (2, _) => writeln!(stream, "busy 300"),
        (_, "hopper") => {
            writeln!(stream, "quote The wonderful thing about standards is that there are so many of them.")
        }
        _ => writeln!(stream, "nothing here"),
    }
}
