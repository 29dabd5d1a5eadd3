//! Prints what Sentry receives of an outage: two failed calls in one group, and the open circuit.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use redress::observe::sentry::SentryObserver;
use redress::{CircuitBreaker, Policy, Retry, fixed};
use sentry::{ClientOptions, Envelope, Transport};

/// Prints events instead of sending them.
struct Printer;

impl Transport for Printer {
    fn send_envelope(&self, envelope: Envelope) {
        let Some(event) = envelope.event() else { return };
        println!("{}: {}", event.level, event.message.as_deref().unwrap_or_default());
        println!("    grouped by {}", event.fingerprint.join(", "));
        for breadcrumb in event.breadcrumbs.iter() {
            let said = |key: &str| breadcrumb.data.get(key).map_or_else(String::new, ToString::to_string);
            println!(
                "    {} {} {}",
                breadcrumb.message.as_deref().unwrap_or_default(),
                said("attempt"),
                said("detail")
            );
        }
    }
}

fn main() -> anyhow::Result<()> {
    // With the default transport of the `sentry` crate, the DSN of a project is all it takes.
    let options = ClientOptions::new().dsn("https://public@sentry.invalid/1").transport(Arc::new(Printer));
    let _client = sentry::init(options);

    let policy = Policy::builder()
        .name("stock")
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(5))).max_attempts(2))
        .circuit_breaker(CircuitBreaker::builder().name("warehouse").failure_threshold(2))
        .observer(SentryObserver::new())
        .build()?;
    for _ in 1..=3 {
        // The outage is the point. The third call is rejected, which is not captured.
        let _ = policy.operation("look_up").call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionRefused)));
    }
    Ok(())
}
