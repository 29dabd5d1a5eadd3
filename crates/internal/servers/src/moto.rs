//! A fake of AWS: moto, which answers as SQS, DynamoDB and other services do.

use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};

use crate::process::{Process, Settings, free_port};
use crate::program::find_program;

/// A running moto, without data. It belongs to the user of the tests, because it may be installed
/// in that user's folder.
#[derive(Debug)]
pub struct Moto {
    process: Process,
    port: u16,
    checks_credentials: bool,
}

impl Moto {
    /// Starts a moto that accepts all credentials.
    ///
    /// # Panics
    ///
    /// If it is not installed, or as [`Process::start`].
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// Starts a moto that knows no credentials, and refuses all requests.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_with_auth() -> Self {
        Self::start_with(true)
    }

    fn start_with(checks_credentials: bool) -> Self {
        let (settings, port) = (Settings::new("moto"), free_port());
        let command = command(&settings, port, checks_credentials);
        let process = Process::start(settings, command, || answers(port));
        Self { process, port, checks_credentials }
    }

    /// The endpoint of every service.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("http://{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// Kills it: from then on its port refuses connections.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it once more at its port, without the data it had.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn restart(&mut self) {
        let command = command(self.process.settings(), self.port, self.checks_credentials);
        self.process.restart(command, || answers(self.port));
    }

    /// Stops it where it is: its port takes connections, and nothing answers.
    ///
    /// # Panics
    ///
    /// If there is no program `kill`.
    pub fn freeze(&self) {
        let stopped = Command::new("kill").args(["-STOP", &self.process.id().to_string()]).status();
        assert!(stopped.expect("`kill` runs").success(), "the process of moto is there");
    }
}

fn answers(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn command(settings: &Settings, port: u16, checks_credentials: bool) -> Command {
    let mut command = Command::new(find_program("moto_server", &[], "moto[server] of pip"));
    command.current_dir(settings.folder()).stdin(Stdio::null());
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    if checks_credentials {
        command.env("INITIAL_NO_AUTH_ACTION_COUNT", "0");
    }
    command
}
