//! [`Datagrams`], a sink that never blocks: a bounded queue, and a thread that sends.

use std::io::{self, ErrorKind};
use std::net::ToSocketAddrs;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use cadence::ext::SocketStats;
use cadence::{MetricSink, SinkStats};

use crate::socket::Socket;

/// Metrics of about 100 calls with retries each millisecond, while the sending thread sleeps for
/// ten of them; up to 2 MB.
const DEFAULT_QUEUE: usize = 8192;
/// How long a flush waits.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// Sends metrics to an agent in datagrams, from a thread. A sink for a [`cadence::StatsdClient`]:
/// tags of all metrics, a prefix and a container id are set on the client.
///
/// A call that writes a metric does not wait: the metric goes into a queue, and is
/// [dropped](Self::dropped) if the queue is full. The thread puts as many queued metrics into one
/// datagram as fit, and sends at once when no more are queued. It ends after the last clone is
/// dropped and the queue is empty; call its `flush`, of [`cadence::MetricSink`], at the end of the
/// program.
///
/// ```
/// use cadence::StatsdClient;
/// use redress::observe::datadog::{DatadogObserver, Datagrams};
///
/// let datagrams = Datagrams::udp("127.0.0.1:8125")?;
/// let client = StatsdClient::builder("", datagrams.clone()).with_tag("env", "prod").build();
/// let metrics = DatadogObserver::new(client);
/// assert_eq!(datagrams.dropped(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Datagrams {
    queue: SyncSender<Message>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    dropped: AtomicU64,
    stats: SocketStats,
}

#[derive(Debug)]
enum Message {
    Metric(String),
    /// Confirmed after everything before it was sent.
    Flush(SyncSender<()>),
}

/// Builds [`Datagrams`]. Returned by [`Datagrams::builder`].
///
/// ```
/// use redress::observe::datadog::Datagrams;
///
/// let datagrams = Datagrams::builder().queue(1_000).udp("127.0.0.1:8125")?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing until it is given an agent"]
pub struct DatagramsBuilder {
    queue: usize,
}

impl DatagramsBuilder {
    /// Sets how many metrics wait to be sent, at most. A call writes three, and each retry
    /// three more. Default: 8,192. At least 1.
    pub const fn queue(mut self, metrics: usize) -> Self {
        self.queue = metrics;
        self
    }

    /// Sends to an agent over UDP.
    ///
    /// # Errors
    ///
    /// See [`Datagrams::udp`]; and `InvalidInput` if the queue has no room.
    pub fn udp(self, agent: impl ToSocketAddrs) -> io::Result<Datagrams> {
        self.start(Socket::udp(agent)?)
    }

    /// Sends to an agent over a Unix socket.
    ///
    /// # Errors
    ///
    /// See [`Datagrams::unix`]; and `InvalidInput` if the queue has no room.
    #[cfg(unix)]
    pub fn unix(self, agent: impl Into<PathBuf>) -> io::Result<Datagrams> {
        self.start(Socket::unix(agent.into())?)
    }

    fn start(self, socket: Socket) -> io::Result<Datagrams> {
        if self.queue == 0 {
            return Err(io::Error::new(ErrorKind::InvalidInput, "queue is 0, but must be at least 1"));
        }
        let (queue, queued) = mpsc::sync_channel(self.queue);
        let counts = Arc::new(Counts::default());
        let sender = Sender { socket, counts: Arc::clone(&counts), datagram: String::new(), metrics: 0 };
        thread::Builder::new().name("redress-datadog".to_owned()).spawn(move || sender.run(&queued))?;
        Ok(Datagrams { queue, counts })
    }
}

impl Datagrams {
    /// Returns a builder with the defaults.
    pub const fn builder() -> DatagramsBuilder {
        DatagramsBuilder { queue: DEFAULT_QUEUE }
    }

    /// Sends to an agent over UDP, such as `("127.0.0.1", 8125)`. A name is resolved once, now.
    ///
    /// # Errors
    ///
    /// If the name has no address, or if the socket or the thread cannot be made. That no agent
    /// listens is no error.
    pub fn udp(agent: impl ToSocketAddrs) -> io::Result<Self> {
        Self::builder().udp(agent)
    }

    /// Sends to an agent over a Unix socket, such as `/var/run/datadog/dsd.socket`.
    ///
    /// # Errors
    ///
    /// If the socket or the thread cannot be made. That no agent listens is no error.
    #[cfg(unix)]
    pub fn unix(agent: impl Into<PathBuf>) -> io::Result<Self> {
        Self::builder().unix(agent)
    }

    /// How many metrics were dropped: because the queue was full, or because the datagram could
    /// not be sent. Over UDP, a datagram that no agent receives counts as sent.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }
}

impl MetricSink for Datagrams {
    /// Queues a metric.
    ///
    /// # Errors
    ///
    /// If the queue is full.
    fn emit(&self, metric: &str) -> io::Result<usize> {
        if self.queue.try_send(Message::Metric(metric.to_owned())).is_ok() {
            return Ok(metric.len());
        }
        self.counts.drop_metrics(1);
        Err(full())
    }

    /// Waits until everything queued so far was sent, for a second at most.
    ///
    /// # Errors
    ///
    /// If the queue is full, or if the second is over.
    fn flush(&self) -> io::Result<()> {
        let (confirm, confirmed) = mpsc::sync_channel(1);
        self.queue.try_send(Message::Flush(confirm)).map_err(|_| full())?;
        confirmed.recv_timeout(FLUSH_LIMIT).map_err(|_| io::Error::from(ErrorKind::TimedOut))
    }

    fn stats(&self) -> SinkStats {
        (&self.counts.stats).into()
    }
}

impl Counts {
    fn drop_metrics(&self, metrics: u64) {
        self.dropped.fetch_add(metrics, Ordering::Relaxed);
    }
}

fn full() -> io::Error {
    io::Error::new(ErrorKind::WouldBlock, "the queue is full")
}

/// The sending thread.
struct Sender {
    socket: Socket,
    counts: Arc<Counts>,
    /// The metrics of the next datagram, one a line.
    datagram: String,
    metrics: u64,
}

impl Sender {
    fn run(mut self, queued: &Receiver<Message>) {
        while let Ok(first) = queued.recv() {
            self.take(first);
            while let Ok(next) = queued.try_recv() {
                self.take(next);
            }
            self.send();
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Metric(metric) => {
                if self.datagram.len() + 1 + metric.len() > self.socket.datagram() {
                    self.send();
                }
                if !self.datagram.is_empty() {
                    self.datagram.push('\n');
                }
                self.datagram.push_str(&metric);
                self.metrics += 1;
            }
            Message::Flush(confirm) => {
                self.send();
                // The flush may have given up.
                let _ = confirm.try_send(());
            }
        }
    }

    fn send(&mut self) {
        if self.metrics == 0 {
            return;
        }
        let sent = self.socket.send(self.datagram.as_bytes());
        if self.counts.stats.update(sent, self.datagram.len()).is_err() {
            self.counts.drop_metrics(self.metrics);
        }
        self.datagram.clear();
        self.metrics = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};
    use std::sync::Arc;

    use super::{Counts, Message, Sender, Socket};

    /// The sizes of the datagrams for metrics of these lengths, all queued at once.
    fn datagrams(metrics: &[usize]) -> Vec<usize> {
        let agent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        agent.set_nonblocking(true).expect("a socket");
        let socket = Socket::udp(agent.local_addr().expect("an address")).expect("a socket");
        let counts = Arc::new(Counts::default());
        let mut sender = Sender { socket, counts, datagram: String::new(), metrics: 0 };
        for length in metrics {
            sender.take(Message::Metric("m".repeat(*length)));
        }
        sender.send();
        std::iter::from_fn(|| agent.recv(&mut [0; 4096]).ok()).collect()
    }

    #[test]
    fn a_datagram_is_filled_to_its_limit_and_not_beyond() {
        assert_eq!(datagrams(&[700, 731]), [1432], "they and the line end between them fit");
        assert_eq!(datagrams(&[700, 732]), [700, 732]);
        assert_eq!(datagrams(&[700, 1000, 100]), [700, 1101]);
        assert_eq!(datagrams(&[1432, 1]), [1432, 1]);
    }

    #[test]
    fn a_metric_that_is_too_long_is_sent_alone() {
        assert_eq!(datagrams(&[10, 2000, 10]), [10, 2000, 10]);
    }

    #[test]
    fn nothing_queued_sends_nothing() {
        assert_eq!(datagrams(&[]), [0; 0]);
    }
}
