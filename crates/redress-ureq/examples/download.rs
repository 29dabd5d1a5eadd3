//! A download tool. It shows what it waits for, and Ctrl-C ends a wait and a download at once.
//!
//! `cargo run -p redress-ureq --example download` uses a server that it starts itself. Append
//! `-- PATH ...` to request other paths; the server answers `/slow` after half a minute.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

use anyhow::Context as _;
use redress::integration::ureq::{RetryingAgent, UreqClassifier, outcome, ureq_classifier};
use redress::{AbortHandle, CallContext, OutcomeSummary, Policy, Retry, decorrelated_jitter};

fn main() -> anyhow::Result<ExitCode> {
    let server = start_server().context("could not start the server")?;
    let interrupted = AbortHandle::new();
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(decorrelated_jitter().base(Duration::from_millis(100))).max_attempts(4))
        .classifier(ureq_classifier())
        .deadline(Duration::from_secs(60))
        .abort_on(&interrupted)
        .build()?;
    let agent = RetryingAgent::new(ureq::agent(), policy);

    let (on_ctrl_c, sockets) = (interrupted.clone(), agent.agent().clone());
    ctrlc::set_handler(move || {
        on_ctrl_c.abort(); // ends a wait
        sockets.clone().shutdown(); // ends an attempt, and a body that is being read
    })
    .context("could not listen for Ctrl-C")?;

    let mut paths: Vec<String> = env::args().skip(1).collect();
    if paths.is_empty() {
        paths = ["/report", "/missing"].map(String::from).into();
    }
    for path in paths {
        println!("{path}:");
        match download(&agent, &format!("http://{server}{path}")) {
            Ok(line) => println!("  {line}"),
            Err(error) if interrupted.is_aborted() => {
                println!("  {error}");
                return Ok(ExitCode::from(130)); // 128 + SIGINT, as a shell reports it
            }
            Err(error) => return Err(error).with_context(|| format!("no {path}")),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn download(agent: &RetryingAgent<Policy<UreqClassifier>>, uri: &str) -> anyhow::Result<String> {
    let notes = CallContext::new().on_retry(|retry| println!("  {retry}"));
    let mut response = agent.get(uri).context(notes).run()?;
    let status = response.status();
    // A response that the policy gave up on, for instance because Ctrl-C ended the wait.
    if let Some(reason) = outcome(&response).and_then(OutcomeSummary::stop_reason) {
        anyhow::bail!("{status}: {reason}");
    }
    let bytes = io::copy(&mut response.body_mut().as_reader(), &mut io::sink())?;
    Ok(format!("{status}, {bytes} bytes"))
}

/// A server that drops its first connection, is busy for the second, and then works.
fn start_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for (visitor, stream) in (1..).zip(listener.incoming()) {
            // A client that disconnects must not stop the server.
            thread::spawn(move || stream.and_then(|stream| serve(stream, visitor)));
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream, visitor: u32) -> io::Result<()> {
    let mut head = BufReader::new(stream.try_clone()?).lines();
    let first = head.next().transpose()?.unwrap_or_default();
    while head.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = first.split(' ').nth(1).unwrap_or_default();
    if path == "/slow" {
        thread::sleep(Duration::from_secs(30));
    }
    let (status, more, body) = match (visitor, path) {
        (1, _) => return Ok(()),
        (2, _) => ("503 Service Unavailable", "Retry-After: 2\r\n", "busy\n"),
        (_, "/missing") => ("404 Not Found", "", "no such report\n"),
        _ => ("200 OK", "", "all is well\n"),
    };
    write!(stream, "HTTP/1.1 {status}\r\n{more}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
