//! A server as a child process: its folder, its log, and its end.

use std::fs::{self, File, Permissions};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take until it answers, on two busy cores.
const START_LIMIT: Duration = Duration::from_secs(60);
const PROBE_PAUSE: Duration = Duration::from_millis(20);
/// `nobody` on Debian: PostgreSQL refuses to run as root.
const UNPRIVILEGED: u32 = 65534;

/// Returns a port of loopback that was free a moment ago.
///
/// # Panics
///
/// If loopback has no free port.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}

/// The folder and the user of a server.
#[derive(Debug)]
pub struct Settings {
    folder: TempDir,
    user: Option<u32>,
}

impl Settings {
    /// Creates a folder that is deleted with the server. Where the caller is root, the folder and
    /// the server belong to an unprivileged user.
    ///
    /// # Panics
    ///
    /// If the folder cannot be created.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let folder =
            tempfile::Builder::new().prefix(&format!("redress-{name}-")).tempdir().expect("a temporary folder");
        let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        let user = root.then_some(UNPRIVILEGED);
        if user.is_some() {
            chown(folder.path(), user, user).expect("root changes owners");
        }
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).expect("the owner changes permissions");
        Self { folder, user }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command that runs as the user of the server, in its folder.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// Runs a command that prepares the folder.
    ///
    /// # Panics
    ///
    /// If the command fails. The message has what it printed.
    pub fn prepare(&self, mut command: Command) {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{command:?} failed:\n{stdout}\n{stderr}");
    }
}

/// A running server. Dropping it kills the server and deletes its folder.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    // Dropped last: the server writes into it until it is dead.
    settings: Settings,
}

impl Process {
    /// Starts a server and waits until `is_ready` says that it answers.
    ///
    /// # Panics
    ///
    /// If the server does not start, ends, or does not answer within a minute. The message has its
    /// log.
    #[must_use]
    pub fn start(settings: Settings, command: Command, is_ready: impl FnMut() -> bool) -> Self {
        let log = settings.folder().join("redress-server.log");
        let child = spawn(command, &log);
        let mut started = Self { child, log, settings };
        started.wait_until_ready(is_ready);
        started
    }

    /// Starts the server once more in its folder, after [`kill`](Self::kill) or
    /// [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn restart(&mut self, command: Command, is_ready: impl FnMut() -> bool) {
        self.kill();
        self.child = spawn(command, &self.log);
        self.wait_until_ready(is_ready);
    }

    /// The folder and the user of the server.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the server runs, as far as the system has noticed.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills the server without a warning, as a power cut would.
    pub fn kill(&mut self) {
        // Fails only where the server has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until the server has ended after it was asked to.
    ///
    /// # Errors
    ///
    /// As [`Child::wait`].
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    fn wait_until_ready(&mut self, mut is_ready: impl FnMut() -> bool) {
        let limit = Instant::now() + START_LIMIT;
        while !is_ready() {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            assert!(Instant::now() < limit, "the server does not answer:\n{}", self.log());
            thread::sleep(PROBE_PAUSE);
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(mut command: Command, log: &Path) -> Child {
    let file = File::options().create(true).append(true).open(log).expect("a log in the folder");
    let same = file.try_clone().expect("a second handle of the log");
    command.stdout(file).stderr(same);
    command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
}
