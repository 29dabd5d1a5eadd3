//! [`Policies::watch`] follows a file, and reloads it when it changes.

mod debounce;
mod trail;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Instant;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::changes::Changes;
use crate::contained::contained;
use crate::file::PolicyFile;
use crate::loader::Loader;
use crate::policies::Policies;
use crate::problem::FileError;

use self::debounce::Debounce;
use self::trail::Trail;

impl Policies {
    /// Watches a file and reloads it when it changes, until the returned [`Watcher`] is dropped.
    ///
    /// `loader` reads the file as [`Loader::read`] does. `on_reload` hears of each reload, from a
    /// thread of the watcher: what changed, or every problem of a file that is refused. A refused
    /// file changes nothing, and the watcher goes on.
    ///
    /// The folder of the file is watched, and so are the links that lead to it. A file that an
    /// editor replaces or writes again is followed, and so is one that Kubernetes mounts from a
    /// `ConfigMap`. Changes that follow each other within 100 ms are one reload, at most a second
    /// after the first. A file whose text did not change is not reloaded, and a file without text
    /// is refused: it is about to be written.
    ///
    /// The watcher compares the file with the policies once when it begins, so that a change since
    /// the file was read is not missed. It has two threads, which sleep while nothing changes. A
    /// panic of `on_reload` is contained.
    ///
    /// File systems that report no changes, such as those that other hosts write to, are not
    /// followed. Reload there on a signal or at intervals.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use redress::config::{Loader, Policies};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("redress-watch-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let path = folder.join("policies.toml");
    /// # std::fs::write(&path, "[policy.orders]\nretry = { max_attempts = 4 }\n")?;
    /// let loader = Loader::new().environment();
    /// let policies = Policies::new(loader.read(&path)?)?;
    /// let orders = policies.get("orders")?;
    ///
    /// let (sender, reloads) = mpsc::channel();
    /// let watcher = policies.watch(&loader, &path, move |reload| {
    ///     let _ = sender.send(reload.map_err(|refused| refused.to_string()));
    /// })?;
    ///
    /// std::fs::write(&path, "[policy.orders]\nretry = { max_attempts = 2 }\n")?;
    /// assert_eq!(reloads.recv()??.to_string(), "policy.orders.retry.max_attempts: 4 -> 2");
    /// assert_eq!(orders.load().max_attempts(), 2);
    /// drop(watcher);
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the folder of the file cannot be watched. A file that does not exist is waited for.
    pub fn watch(
        &self,
        loader: &Loader,
        path: impl AsRef<Path>,
        on_reload: impl FnMut(Result<Changes, FileError>) + Send + 'static,
    ) -> Result<Watcher, FileError> {
        let path = path.as_ref().to_owned();
        let (sender, receiver) = mpsc::sync_channel(1);
        let bell = Bell { sender, is_stopped: Arc::default() };
        let unwatched = |error| FileError::unwatched(&path, error);
        let source = watch(&path, &bell).map_err(unwatched)?;
        let mut follower = Follower {
            policies: self.clone(),
            loader: loader.clone(),
            path: path.clone(),
            bell: bell.clone(),
            source,
            last: None,
            on_reload,
        };
        let thread = thread::Builder::new().name("redress watch".to_owned());
        thread.spawn(move || follower.run(&receiver)).map_err(unwatched)?;
        Ok(Watcher { path, bell })
    }
}

/// Keeps a file watched. Returned by [`Policies::watch`].
///
/// Dropping it ends the watching, and waits for nothing: a reload that runs then is finished, and
/// no other one begins.
#[must_use = "dropping the watcher ends the watching"]
pub struct Watcher {
    path: PathBuf,
    bell: Bell,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.bell.is_stopped.store(true, Ordering::Release);
        self.bell.ring();
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Wakes the thread of a watcher: something changed, or it is to stop.
#[derive(Clone)]
struct Bell {
    sender: SyncSender<()>,
    is_stopped: Arc<AtomicBool>,
}

impl Bell {
    fn ring(&self) {
        // If the channel is full, the thread is about to wake.
        let _ = self.sender.try_send(());
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }
}

/// What the thread of a watcher has.
struct Follower<F> {
    policies: Policies,
    loader: Loader,
    path: PathBuf,
    bell: Bell,
    source: RecommendedWatcher,
    /// The text that was read last, or why there was none.
    last: Option<Result<String, String>>,
    on_reload: F,
}

impl<F: FnMut(Result<Changes, FileError>)> Follower<F> {
    fn run(&mut self, changes: &Receiver<()>) {
        let began = Instant::now();
        let mut debounce = Debounce::default();
        self.compare();
        while !self.bell.is_stopped() {
            let woken = match debounce.wait(began.elapsed()) {
                Some(wait) if wait.is_zero() => {
                    debounce.settle();
                    self.follow();
                    continue;
                }
                Some(wait) => changes.recv_timeout(wait),
                None => changes.recv().map_err(RecvTimeoutError::from),
            };
            match woken {
                Ok(()) => debounce.see(began.elapsed()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Reloads the file if it changed between the reading and the watching.
    fn compare(&mut self) {
        let Some(read) = self.read() else { return };
        if !read.as_ref().is_ok_and(|file| *file == self.policies.file()) {
            self.reload(read);
        }
    }

    /// Watches the folders that now lead to the file, and reloads it if it changed.
    fn follow(&mut self) {
        match watch(&self.path, &self.bell) {
            // The old one ends after the new one began, so that no change is missed.
            Ok(source) => self.source = source,
            Err(error) => self.tell(Err(FileError::unwatched(&self.path, error))),
        }
        if let Some(read) = self.read() {
            self.reload(read);
        }
    }

    /// The file, unless its text is the one that was read last.
    fn read(&mut self) -> Option<Result<PolicyFile, FileError>> {
        let text = self.loader.text(&self.path).and_then(|text| match text.as_str() {
            "" => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is empty")),
            _ => Ok(text),
        });
        let now = text.as_ref().map(String::clone).map_err(ToString::to_string);
        if self.last.as_ref() == Some(&now) {
            return None;
        }
        self.last = Some(now);
        let read = text.map_err(|error| FileError::unreadable(&self.path, error));
        Some(read.and_then(|text| self.loader.parse(&text, self.path.display().to_string())))
    }

    fn reload(&mut self, read: Result<PolicyFile, FileError>) {
        let reload = read.and_then(|file| {
            // `make` of a live policy may panic, and nothing is changed then.
            let reload = contained(|| self.policies.reload(file));
            reload.unwrap_or_else(|panic| {
                Err(FileError::of(&self.path, format!("could not be built: a policy panicked: {panic}")))
            })
        });
        self.tell(reload);
    }

    fn tell(&mut self, reload: Result<Changes, FileError>) {
        // The panic hook has reported a panic.
        let _ = contained(|| (self.on_reload)(reload));
    }
}

/// Watches the folders that lead to a file.
fn watch(path: &Path, bell: &Bell) -> io::Result<RecommendedWatcher> {
    let mut trail = Trail::of(path)?;
    loop {
        let watcher = watch_trail(&trail, bell);
        // A link that was swapped meanwhile leads to other folders.
        let now = Trail::of(path)?;
        if now == trail {
            return watcher.map_err(|error| match error.kind {
                notify::ErrorKind::Io(error) => error,
                _ => io::Error::other(error),
            });
        }
        trail = now;
    }
}

fn watch_trail(trail: &Trail, bell: &Bell) -> notify::Result<RecommendedWatcher> {
    let (names, bell) = (trail.clone(), bell.clone());
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // After an error, or a flood of changes, some may be missing.
        if event.map_or(true, |event| changes(&names, &event)) {
            bell.ring();
        }
    })?;
    for folder in trail.folders() {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// Whether an event may have changed the file. The reading of the file is none.
fn changes(trail: &Trail, event: &Event) -> bool {
    let is_change = match event.kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    };
    is_change && (event.need_rescan() || event.paths.iter().any(|path| trail.has(path)))
}
