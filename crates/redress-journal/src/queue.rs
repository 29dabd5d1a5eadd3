//! The bounded queue between calls and the thread that writes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

use crate::record::CallRecord;

/// A message to the writer.
pub(crate) enum Message {
    Line(Vec<u8>),
    /// Write everything out, then answer.
    Flush(SyncSender<()>),
}

/// The sending half. A full queue drops lines, so that no call waits for the disk.
pub(crate) struct Queue {
    sender: SyncSender<Message>,
    pub(crate) dropped: AtomicU64,
    /// Lines that could not be written.
    pub(crate) failed: AtomicU64,
}

impl Queue {
    pub(crate) const fn new(sender: SyncSender<Message>) -> Self {
        Self { sender, dropped: AtomicU64::new(0), failed: AtomicU64::new(0) }
    }

    pub(crate) fn write(&self, record: &CallRecord) {
        let Ok(mut line) = serde_json::to_vec(record) else { return };
        line.push(b'\n');
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.sender.try_send(Message::Line(line)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything that is in the queue now is written.
    pub(crate) fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.sender.send(Message::Flush(done)).is_ok() {
            // Fails only if the writer has ended.
            let _ = written.recv();
        }
    }
}
