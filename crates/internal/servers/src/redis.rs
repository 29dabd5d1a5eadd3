//! A Redis server, alone or as a node of a cluster.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::{Process, Settings, find_program, free_port};

/// A script that never ends blocks the server, so a probe must not wait for its answer.
const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// A running Redis server. It keeps its data in its folder across [`restart`](Self::restart).
#[derive(Debug)]
pub struct Redis {
    process: Process,
    program: PathBuf,
    port: u16,
    flags: Vec<String>,
}

impl Redis {
    /// Starts a server with these flags of its command line, as in `--maxmemory 1mb`. `DEBUG` is
    /// allowed, and nothing is saved unless it is asked to.
    ///
    /// # Panics
    ///
    /// If Redis is not installed or does not start.
    #[must_use]
    pub fn start(flags: &[&str]) -> Self {
        let program = find_program("redis-server", &[], "redis-server");
        let settings = Settings::new("redis");
        let port = free_port();
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let command = command(&settings, &program, port, &flags);
        let process = Process::start(settings, command, || is_answering(port));
        Self { process, program, port, flags }
    }

    /// The port of loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL for a client without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server without a warning. Its port is free until [`restart`](Self::restart).
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts the server once more, on the same port and with further flags. Returns as soon as it
    /// answers anything, which can be that it is loading.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn restart(&mut self, further: &[&str]) {
        let flags: Vec<String> =
            self.flags.iter().map(String::as_str).chain(further.iter().copied()).map(Into::into).collect();
        let command = command(self.process.settings(), &self.program, self.port, &flags);
        let port = self.port;
        self.process.restart(command, || is_answering(port));
    }
}

fn command(settings: &Settings, program: &std::path::Path, port: u16, flags: &[String]) -> Command {
    let mut command = settings.command(program);
    command.args(["--bind", "127.0.0.1", "--save", "", "--enable-debug-command", "yes"]);
    command.args(["--port", &port.to_string()]).args(flags);
    command
}

/// Whether the server answers a `PING`, even with an error.
fn is_answering(port: u16) -> bool {
    ask(port).is_ok()
}

fn ask(port: u16) -> io::Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PROBE_LIMIT))?;
    stream.write_all(b"PING\r\n")?;
    stream.read_exact(&mut [0])
}
