//! MariaDB, with a user that may do everything.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::process::{Process, Settings, free_port};
use crate::program::find_program;

const PACKAGE: &str = "mariadb-server";

/// Small files, and none that must reach a disk: a server may forget what it has stored when the
/// machine fails.
const INNODB: &[&str] = &[
    "--innodb-log-file-size=4M",
    "--innodb-buffer-pool-size=16M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-fast-shutdown=2",
];

/// A MariaDB server on a port of loopback. Passwords are checked.
#[derive(Debug)]
pub struct MariaDb {
    port: u16,
    process: Mutex<Process>,
}

impl MariaDb {
    /// A user with every privilege.
    pub const USER: &'static str = "admin";
    /// The password of the user.
    pub const PASSWORD: &'static str = "correct-horse";
    /// The database.
    pub const DATABASE: &'static str = "shop";

    /// Creates the system tables and starts a server.
    ///
    /// # Panics
    ///
    /// If MariaDB is not installed or does not start.
    #[must_use]
    pub fn start() -> Self {
        let settings = Settings::new("mariadb");
        initialise(&settings);
        let port = free_port();
        let command = server(&settings, port);
        let process = Process::start(settings, command, || is_ready(port));
        Self { port, process: Mutex::new(process) }
    }

    /// The port of loopback that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server, and returns when connections are refused.
    pub fn stop(&self) {
        self.process().kill();
    }

    /// Starts the server on the same port with what it has stored, and returns when it answers.
    /// Kills it first if it runs.
    ///
    /// # Panics
    ///
    /// If the server does not start.
    pub fn restart(&self) {
        let mut process = self.process();
        let command = server(process.settings(), self.port);
        process.restart(command, || is_ready(self.port));
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn initialise(settings: &Settings) {
    let program = find_program("mariadb-install-db", &[], PACKAGE);
    let mut command = settings.command(&program);
    command.arg("--no-defaults").arg(place(settings, "--datadir", "data"));
    // Its temporary tables have names that those of another server may have.
    command.arg(place(settings, "--tmpdir", "")).args(INNODB);
    command.args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]);
    settings.prepare(command);
    let (user, password, database) = (MariaDb::USER, MariaDb::PASSWORD, MariaDb::DATABASE);
    let first = format!(
        "CREATE DATABASE IF NOT EXISTS {database};\n\
         CREATE USER IF NOT EXISTS '{user}'@'%' IDENTIFIED BY '{password}';\n\
         GRANT ALL ON *.* TO '{user}'@'%' WITH GRANT OPTION;\n"
    );
    fs::write(settings.folder().join("first.sql"), first).expect("the folder can be written");
}

fn server(settings: &Settings, port: u16) -> Command {
    let mut command = settings.command(&find_program("mariadbd", &[], PACKAGE));
    command.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin"]);
    command.arg(format!("--port={port}")).args(INNODB);
    let places = [
        ("--datadir", "data"),
        ("--tmpdir", ""),
        ("--socket", "socket"),
        ("--pid-file", "pid"),
        ("--init-file", "first.sql"),
    ];
    command.args(places.map(|(option, name)| place(settings, option, name)));
    command
}

fn place(settings: &Settings, option: &str, name: &str) -> String {
    format!("{option}={}", settings.folder().join(name).display())
}

fn is_ready(port: u16) -> bool {
    let mut command = Command::new(find_program("mariadb-admin", &[], PACKAGE));
    command.args(["--no-defaults", "--host=127.0.0.1", "--protocol=TCP", "--connect-timeout=5", "--silent"]);
    command.arg(format!("--port={port}")).arg(format!("--user={}", MariaDb::USER));
    command.arg(format!("--password={}", MariaDb::PASSWORD)).arg("ping").current_dir(Path::new("/"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
