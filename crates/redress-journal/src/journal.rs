//! [`Journal`], the observer, its builder, and the thread that writes.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::SystemTime;

use redress_core::observe::{CallObserver, CallStart};
use redress_core::{Event, Observer};

use crate::call::Call;
use crate::files::Files;
use crate::queue::{Message, Queue};

/// Writes each call, with its attempts, as a line of JSON when the call ends.
///
/// A handle: clones write to the same file. A thread writes; a call puts its line into a bounded
/// queue and never waits for the disk. If the queue is full, the line is
/// [dropped](Self::dropped) and counted.
///
/// Call [`flush`](Self::flush) before the process ends: lines in the queue are lost otherwise.
///
/// ```
/// use redress::Policy;
/// use redress::observe::journal::{Journal, read};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("calls.jsonl");
/// let journal = Journal::create(&path)?;
/// let policy = Policy::builder().name("users").observer(journal.clone()).build()?;
/// policy.operation("load_user").call(|| Ok::<_, std::io::Error>("ada"))?;
///
/// journal.flush();
/// let calls = read(std::fs::File::open(&path)?).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(calls[0].operation.as_deref(), Some("load_user"));
/// assert_eq!(calls[0].made, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Journal {
    queue: Arc<Queue>,
}

impl Journal {
    /// Opens a journal with the defaults; see [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// If the file cannot be opened for appending, or the thread cannot be started.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::builder().create(path)
    }

    /// Returns a builder with the defaults.
    pub const fn builder() -> JournalBuilder {
        JournalBuilder { max_file_bytes: 64 << 20, max_files: 4, queue: 1_024 }
    }

    /// Waits until every line that is in the queue now is written.
    pub fn flush(&self) {
        self.queue.flush();
    }

    /// How many lines were dropped because the queue was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.queue.dropped.load(Ordering::Relaxed)
    }

    /// How many lines could not be written, such as to a full disk.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.queue.failed.load(Ordering::Relaxed)
    }
}

impl Observer for Journal {
    fn on_event(&self, _: &Event<'_>) {}

    fn on_call_start(&self, call: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        Some(Box::new(Call::start(Arc::clone(&self.queue), call, SystemTime::now())))
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("dropped", &self.dropped())
            .field("failed", &self.failed())
            .finish_non_exhaustive()
    }
}

/// Configures a [`Journal`]. Returned by [`Journal::builder`].
///
/// ```
/// use redress::observe::journal::Journal;
///
/// let folder = tempfile::tempdir()?;
/// let journal = Journal::builder().max_file_bytes(10 << 20).max_files(3).create(folder.path().join("calls.jsonl"))?;
/// # drop(journal);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `create` or `to_writer` is called"]
pub struct JournalBuilder {
    max_file_bytes: u64,
    max_files: u32,
    queue: usize,
}

impl JournalBuilder {
    /// Sets the size at which a file is replaced, in bytes. A line is never split, so a longer line
    /// has a file to itself. Default: 64 MiB.
    pub const fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// Sets how many files are kept, the current one included: `calls.jsonl`, then `calls.jsonl.1`
    /// and so on, from newer to older. 0 counts as 1. Default: 4.
    pub const fn max_files(mut self, files: u32) -> Self {
        self.max_files = files;
        self
    }

    /// Sets how many lines wait for the thread before further ones are dropped. 0 counts as 1.
    /// Default: 1,024.
    pub const fn queue(mut self, lines: usize) -> Self {
        self.queue = lines;
        self
    }

    /// Opens the file, appends to it if it exists, and starts the thread.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened for appending, or the thread cannot be started.
    pub fn create(self, path: impl AsRef<Path>) -> io::Result<Journal> {
        let files = Files::open(path.as_ref(), self.max_file_bytes, self.max_files.max(1))?;
        self.to_writer(files)
    }

    /// Writes to `writer`, one call of `write_all` a line, and starts the thread.
    ///
    /// # Errors
    ///
    /// If the thread cannot be started.
    pub fn to_writer(self, writer: impl Write + Send + 'static) -> io::Result<Journal> {
        let (sender, messages) = sync_channel(self.queue.max(1));
        let queue = Arc::new(Queue::new(sender));
        let counts = Arc::downgrade(&queue);
        let work = move || write_lines(&messages, writer, &counts);
        thread::Builder::new().name("redress-journal".to_owned()).spawn(work)?;
        Ok(Journal { queue })
    }
}

/// Writes until the last handle is gone. Flushes when the queue is empty, so that a line is never
/// kept back while nothing follows it.
fn write_lines(messages: &Receiver<Message>, mut writer: impl Write, counts: &Weak<Queue>) {
    let mut next = messages.recv().ok();
    while let Some(message) = next {
        match message {
            Message::Line(line) => {
                if writer.write_all(&line).is_err() {
                    count_failure(counts);
                }
            }
            Message::Flush(done) => {
                let _ = writer.flush();
                let _ = done.send(());
            }
        }
        next = match messages.try_recv() {
            Ok(message) => Some(message),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                if writer.flush().is_err() {
                    count_failure(counts);
                }
                messages.recv().ok()
            }
        };
    }
    let _ = writer.flush();
}

fn count_failure(counts: &Weak<Queue>) {
    if let Some(queue) = counts.upgrade() {
        queue.failed.fetch_add(1, Ordering::Relaxed);
    }
}
