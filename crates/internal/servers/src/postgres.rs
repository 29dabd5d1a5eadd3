//! PostgreSQL, with a superuser and a password.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{env, fs};

use crate::process::{Process, Settings, free_port};
use crate::program::{find_program, subfolders};

const PACKAGE: &str = "postgresql";
/// Debian keeps the programs of each version in its own folder, outside the `PATH`.
const VERSIONS: &str = "/usr/lib/postgresql";

/// A server may forget what it has stored when the machine fails, so it need not wait for a disk.
const SETTINGS: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    // A deadlock is found after this time.
    "deadlock_timeout=20ms",
    "shared_buffers=16MB",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
];

/// A PostgreSQL server on a port of loopback. Passwords are checked.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    port: u16,
    process: Mutex<Process>,
}

impl Postgres {
    /// The superuser.
    pub const USER: &'static str = "postgres";
    /// The password of the superuser.
    pub const PASSWORD: &'static str = "correct-horse";
    /// The database.
    pub const DATABASE: &'static str = "postgres";

    /// Creates a database cluster and starts its server.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        let programs = programs();
        let settings = Settings::new("postgres");
        initialise(&programs, &settings);
        let port = free_port();
        let command = server(&programs, &settings, port);
        let process = Process::start(settings, command, || is_ready(&programs, port));
        Self { programs, port, process: Mutex::new(process) }
    }

    /// The port of loopback that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends all sessions and the server, and returns when connections are refused.
    ///
    /// # Panics
    ///
    /// If the server does not end.
    pub fn stop(&self) {
        let mut process = self.process();
        stop(&self.programs, process.settings(), &["--mode", "fast", "--wait"]);
        process.wait().expect("the end of a child can be waited for");
    }

    /// Asks the server to end with its last session. Returns before it refuses further sessions.
    pub fn stop_with_last_session(&self) {
        let process = self.process();
        stop(&self.programs, process.settings(), &["--mode", "smart", "--no-wait"]);
    }

    /// Starts the server on the same port with what it has stored, and returns when it answers.
    /// Stops it first if it runs.
    ///
    /// # Panics
    ///
    /// If the server does not start.
    pub fn restart(&self) {
        let mut process = self.process();
        if process.is_running() {
            stop(&self.programs, process.settings(), &["--mode", "fast", "--wait"]);
        }
        let command = server(&self.programs, process.settings(), self.port);
        process.restart(command, || is_ready(&self.programs, self.port));
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    /// A server that is killed leaves a segment of shared memory behind, so it is asked to stop.
    fn drop(&mut self) {
        let mut process = self.process();
        if process.is_running() {
            stop(&self.programs, process.settings(), &["--mode", "immediate", "--wait"]);
        }
    }
}

/// The folder with the programs: that of the `PATH`, or that of Debian's latest version. A link on
/// the `PATH` leads to it, as links need not exist for all programs.
fn programs() -> PathBuf {
    let versions: Vec<PathBuf> = subfolders(VERSIONS).into_iter().map(|version| version.join("bin")).collect();
    let further: Vec<&Path> = versions.iter().map(PathBuf::as_path).collect();
    let initdb = find_program("initdb", &further, PACKAGE).canonicalize().expect("the program was there");
    initdb.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

fn data(settings: &Settings) -> PathBuf {
    settings.folder().join("data")
}

fn initialise(programs: &Path, settings: &Settings) {
    let password = settings.folder().join("password");
    fs::write(&password, Postgres::PASSWORD).expect("the folder can be written");
    let mut command = settings.command(&programs.join("initdb"));
    command.arg("--pgdata").arg(data(settings)).arg("--pwfile").arg(&password);
    command.args(["--username", Postgres::USER, "--auth", "scram-sha-256", "--encoding", "UTF8"]);
    command.args(["--locale", "C", "--no-sync", "--no-instructions"]);
    settings.prepare(command);
}

fn server(programs: &Path, settings: &Settings, port: u16) -> Command {
    let mut command = settings.command(&programs.join("postgres"));
    command.arg("-D").arg(data(settings)).arg("-p").arg(port.to_string());
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command
}

fn is_ready(programs: &Path, port: u16) -> bool {
    let mut command = Command::new(programs.join("pg_isready"));
    command.args(["--quiet", "--host", "127.0.0.1", "--port", &port.to_string()]).current_dir(env::temp_dir());
    command.stdin(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn stop(programs: &Path, settings: &Settings, how: &[&str]) {
    let mut command = settings.command(&programs.join("pg_ctl"));
    command.args(["stop", "--silent"]).args(how).arg("--pgdata").arg(data(settings));
    let output = command.output();
    // Fails where the server is gone already.
    drop(output);
}
