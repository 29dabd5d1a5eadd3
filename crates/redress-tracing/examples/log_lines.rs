//! Prints the log of a few calls at `debug`.
//!
//!     cargo run -p redress-tracing --example log_lines
//!
//! It runs on a virtual clock, so it prints the same lines each time without waiting.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redress::observe::tracing::TracingObserver;
use redress::testing::VirtualClock;
use redress::{CircuitBreaker, Policy, Retry, fixed};
use tracing::{Level, info, info_span};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().without_time().with_ansi(false).with_max_level(Level::DEBUG).init();

    let clock = VirtualClock::new();
    let recovery = Duration::from_secs(30);
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(250))).max_attempts(2))
        .circuit_breaker(
            CircuitBreaker::builder()
                .name("inventory")
                .failure_threshold(1)
                .recovery_timeout(recovery)
                .clock(clock.clone()),
        )
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .observer(TracingObserver::new())
        .build()?;
    let get_stock = policy.operation("GET /stock/{id}");

    let _request = info_span!("request", id = 7).entered();
    info!("the first attempt fails, the second one succeeds");
    let mut attempts = 0;
    get_stock.call(|| {
        attempts += 1;
        info!(attempts, "this is below the call");
        if attempts == 1 { Err(Error::from(ErrorKind::ConnectionReset)) } else { Ok(()) }
    })?;

    info!("both fail, and the circuit opens");
    let failed = get_stock.call(|| Err::<(), _>(Error::new(ErrorKind::ConnectionReset, "a secret")));
    info!("the next call is rejected");
    let rejected = get_stock.call(|| Ok::<_, Error>(()));
    info!(failed = failed.is_err(), rejected = rejected.is_err(), "half a minute later the circuit closes");
    clock.advance(recovery);
    get_stock.call(|| Ok::<_, Error>(()))?;
    Ok(())
}
