//! A letter that cannot be sent for an hour, and a worker that is killed in between: the next
//! worker goes on with the attempts and the waits of the first.
//!
//! Runs on tokio's paused clock, so the hour passes at once.

mod queue;

use std::io;
use std::time::Duration;

use apalis_core::backend::TaskSink;
use apalis_core::error::BoxDynError;
use apalis_core::task::data::Data;
use apalis_core::worker::builder::WorkerBuilder;
use redress::integration::apalis::Deferral;
use redress::runtime::tokio::AsyncPolicy;
use redress::strategy::equal_jitter;
use redress::{Retry, SleepDecision};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, sleep};

use crate::queue::Queue;

const OUTAGE: Duration = Duration::from_secs(60 * 60);

#[derive(Clone)]
struct Letter {
    to: &'static str,
}

/// The post office, closed for an hour.
#[derive(Clone, Copy)]
struct Post {
    opened: Instant,
}

impl Post {
    fn take(self, letter: &Letter) -> io::Result<()> {
        let since = self.opened.elapsed();
        print!("{:>4} min: a letter to {}: ", since.as_secs() / 60, letter.to);
        if since < OUTAGE { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(()) }
    }
}

async fn send(
    letter: Letter,
    deferral: Deferral,
    policy: Data<AsyncPolicy>,
    post: Data<Post>,
    mut queue: Data<Queue<Letter>>,
) -> Result<(), BoxDynError> {
    let call = policy.resume_or_fresh(deferral.token()).operation("send");
    let outcome = call.execute(async || post.take(&letter)).await;
    let (attempts, next) = (outcome.attempts(), outcome.next_delay());
    match next {
        Some(wait) => println!("attempt {attempts} failed, again in {wait:.0?}"),
        None => println!("attempt {attempts} ended it, success: {}", outcome.is_ok()),
    }
    deferral.settle(outcome, letter, &mut *queue).await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let strategy = equal_jitter().base(Duration::from_secs(60)).max(Duration::from_secs(15 * 60));
    let policy = AsyncPolicy::builder()
        .name("letters")
        .retry(Retry::builder().strategy(strategy).max_attempts(30))
        .deadline(Duration::from_secs(60))
        .sleep_handler(|_, _| SleepDecision::Defer)
        .build()?;
    let mut queue = Queue::new();
    queue.push(Letter { to: "Ada" }).await?;

    let post = Post { opened: Instant::now() };
    let first = worker("first", &policy, post, &queue);
    sleep(Duration::from_secs(20 * 60)).await;
    first.abort();
    println!("  20 min: the worker was killed, and {} letter waits", queue.len());

    let second = worker("second", &policy, post, &queue);
    while post.opened.elapsed() < OUTAGE || queue.len() > 0 {
        sleep(Duration::from_secs(60)).await;
    }
    yield_now().await;
    second.abort();
    Ok(())
}

fn worker(name: &str, policy: &AsyncPolicy, post: Post, queue: &Queue<Letter>) -> JoinHandle<()> {
    let worker =
        WorkerBuilder::new(name).backend(queue.clone()).data(policy.clone()).data(post).data(queue.clone()).build(send);
    tokio::spawn(async move {
        if let Err(error) = worker.run().await {
            eprintln!("the worker ended: {error}");
        }
    })
}
