//! Deferred calls on pgmq: a queue in PostgreSQL whose messages have a visibility timeout. The
//! token is a field of the message.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use pgmq::{Message, PGMQueueExt};
use redress::policy::RetryBuilder;
use redress::runtime::tokio::AsyncPolicy;
use redress::{CircuitBreaker, ErrorClass, Retry, RetryOutcome, SleepDecision, StopReason, fixed};
use redress_servers::Postgres;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

const QUEUE: &str = "letters";
const WAIT: Duration = Duration::from_secs(1);
/// How long a message that was read is invisible.
const VISIBILITY: i32 = 2;

#[derive(Serialize, Deserialize)]
struct Letter {
    to: String,
    #[serde(default)]
    redress: Option<String>,
}

struct Fixture {
    queue: PGMQueueExt,
    _server: Postgres,
}

impl Fixture {
    async fn new() -> Self {
        let server = Postgres::start();
        let (user, password, database) = (Postgres::USER, Postgres::PASSWORD, Postgres::DATABASE);
        let url = format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", server.port());
        let queue = PGMQueueExt::new(url, 2).await.unwrap();
        queue.install_sql_from_embedded().await.unwrap();
        queue.create(QUEUE).await.unwrap();
        queue.send(QUEUE, &Letter { to: "Ada".to_owned(), redress: None }).await.unwrap();
        Self { queue, _server: server }
    }

    async fn read(&self) -> Option<Message<Letter>> {
        self.queue.read(QUEUE, VISIBILITY).await.unwrap()
    }

    /// Returns the message when it is visible.
    async fn next(&self) -> Message<Letter> {
        let started = Instant::now();
        loop {
            if let Some(message) = self.read().await {
                return message;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "no message");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// The statement of docs/guide/queues.md.
    async fn again(&self, id: i64, after: Duration, token: &str) {
        let statement = "update pgmq.q_letters \
            set vt = clock_timestamp() + make_interval(secs => $2), \
            message = jsonb_set(message, '{redress}', to_jsonb($3::text)) \
            where msg_id = $1";
        let update = sqlx_0_8::query(statement).bind(id).bind(after.as_secs_f64()).bind(token);
        assert_eq!(update.execute(&self.queue.connection).await.unwrap().rows_affected(), 1);
    }

    async fn settle<T, E>(&self, message: &Message<Letter>, outcome: &RetryOutcome<T, E>) {
        let id = message.msg_id;
        match (outcome.stop_reason(), outcome.resume_token()) {
            (Some(StopReason::Scheduled), Some(token)) => {
                self.again(id, outcome.next_delay().unwrap(), &token.to_string()).await;
            }
            (Some(StopReason::CircuitOpen), _) => {
                let seconds = outcome.retry_in().unwrap().as_secs_f64().ceil() as i32;
                self.queue.set_vt::<Letter>(QUEUE, id, seconds).await.unwrap();
            }
            _ => assert!(self.queue.archive(QUEUE, id).await.unwrap()),
        }
    }
}

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(WAIT)).max_attempts(3)
}

fn policy() -> AsyncPolicy {
    AsyncPolicy::builder().name(QUEUE).retry(retry()).sleep_handler(|_, _| SleepDecision::Defer).build().unwrap()
}

/// The numbers of the attempts, and when they began.
#[derive(Default)]
struct Log(Mutex<Vec<(u32, Instant)>>);

impl Log {
    async fn refused(&self, number: u32) -> io::Result<()> {
        self.0.lock().unwrap().push((number, Instant::now()));
        Err(io::ErrorKind::ConnectionRefused.into())
    }

    fn numbers(&self) -> Vec<u32> {
        self.0.lock().unwrap().iter().map(|(number, _)| *number).collect()
    }
}

#[tokio::test]
async fn attempts_and_waits_go_on_in_one_message() {
    let (fixture, log) = (Fixture::new().await, Log::default());
    for delivery in 1..=3 {
        // Each worker knows what is in the message, and nothing else.
        let (policy, message) = (policy(), fixture.next().await);
        assert_eq!((message.read_ct, &*message.message.to), (delivery, "Ada"));
        let call = policy.resume_or_fresh(message.message.redress.as_deref());
        let outcome = call.execute_with(async |attempt| log.refused(attempt.number()).await).await;
        fixture.settle(&message, &outcome).await;
    }
    assert_eq!(log.numbers(), [1, 2, 3]);
    let attempts = log.0.lock().unwrap().clone();
    assert!(attempts.windows(2).all(|pair| pair[1].1 - pair[0].1 >= WAIT), "{attempts:?}");
    sleep(Duration::from_secs(3)).await;
    assert!(fixture.read().await.is_none(), "the message was archived");
}

#[tokio::test]
async fn a_killed_worker_leaves_the_token_in_the_message() {
    let (fixture, log) = (Fixture::new().await, Log::default());
    for _ in 0..4 {
        let (policy, message) = (policy(), fixture.next().await);
        let call = policy.resume_or_fresh(message.message.redress.as_deref());
        let outcome = call.execute_with(async |attempt| log.refused(attempt.number()).await).await;
        if log.numbers().len() != 2 {
            // The second delivery dies before it settles.
            fixture.settle(&message, &outcome).await;
        }
    }
    assert_eq!(log.numbers(), [1, 2, 2, 3]);
}

#[tokio::test]
async fn a_rejected_delivery_keeps_its_token() {
    let fixture = Fixture::new().await;
    let message = fixture.next().await;
    let outcome = policy().execute(async || Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionRefused))).await;
    fixture.settle(&message, &outcome).await;

    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(WAIT).build().unwrap();
    let rejecting = AsyncPolicy::builder().name(QUEUE).retry(retry()).circuit_breaker(breaker.clone()).build().unwrap();
    let message = fixture.next().await;
    let token = message.message.redress.clone();
    let now = Instant::now();
    breaker.try_acquire_at(now).unwrap().failure_at(ErrorClass::ServerError, now);
    let call = rejecting.resume_or_fresh(token.as_deref());
    let outcome = call.execute(async || Ok::<_, io::Error>(())).await;
    assert_eq!(outcome.stop_reason(), Some(StopReason::CircuitOpen));
    fixture.settle(&message, &outcome).await;
    assert!(fixture.read().await.is_none(), "not before the breaker may probe");
    let message = fixture.next().await;
    assert!(token.is_some());
    assert_eq!((message.read_ct, message.message.redress), (3, token));
}
