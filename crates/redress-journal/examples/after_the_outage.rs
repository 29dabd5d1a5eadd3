//! Writes the calls of an outage, then reads them back: which calls took long, and what on.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redress::observe::journal::{Journal, read};
use redress::{CircuitBreaker, Policy, Retry, fixed};

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("calls.jsonl");
    let journal = Journal::create(&path)?;
    let policy = Policy::builder()
        .name("stock")
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(5))).max_attempts(3))
        .circuit_breaker(CircuitBreaker::builder().name("warehouse").failure_threshold(3))
        .observer(journal.clone())
        .build()?;

    for number in 1..=12 {
        let is_down = (4..=9).contains(&number);
        let look_up = || if is_down { Err(Error::from(ErrorKind::ConnectionRefused)) } else { Ok(number) };
        // The outage is the point: its errors are in the journal.
        let _ = policy.operation("look_up").call(look_up);
    }
    journal.flush();

    for (number, call) in (1..).zip(read(std::fs::File::open(&path)?)) {
        let call = call?;
        let waited: Duration = call.attempts.iter().filter_map(|attempt| attempt.wait).sum();
        let failures: Vec<&str> = call.attempts.iter().filter_map(|attempt| attempt.detail.as_deref()).collect();
        println!(
            "call {number:2}: {:8} after {} attempts, waited {waited:?} {}",
            call.outcome.as_str(),
            call.made,
            failures.join(", ")
        );
    }
    Ok(())
}
