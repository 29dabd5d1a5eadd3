//! The text of the default formatter, line by line.

use std::io::{Error, ErrorKind, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress_core::{CircuitBreaker, Policy, Retry, fixed};
use redress_testing::VirtualClock;
use redress_tracing::TracingObserver;
use tracing::Level;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn logged(level: Level) -> String {
    let (page, clock) = (Page::default(), VirtualClock::new());
    let writer = page.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_max_level(level)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let policy = Policy::builder()
            .retry(Retry::builder().strategy(fixed(Duration::from_millis(250))).max_attempts(2))
            .circuit_breaker(CircuitBreaker::builder().name("billing").failure_threshold(1).clock(clock.clone()))
            .clock(clock.clone())
            .sleep_with(clock.sleeper())
            .observer(TracingObserver::new())
            .build()
            .unwrap();
        let calls = policy.operation("charge");
        calls.call(|| Ok::<_, Error>(())).unwrap();
        let _ = calls.call(|| Err::<(), _>(Error::new(ErrorKind::ConnectionReset, "password=hunter2")));
        let _ = calls.call(|| Ok::<_, Error>(()));
        clock.advance(Duration::from_secs(30));
        calls.call(|| Ok::<_, Error>(())).unwrap();
    });
    let bytes = page.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn at_info_a_failed_call_and_a_circuit_that_opens_and_closes_are_five_lines() {
    let text = logged(Level::INFO);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert_eq!(
        lines[0],
        " INFO redress.call{operation=\"charge\" breaker=\"billing\"}: redress::attempt: the attempt failed and will be tried again \
         event=\"retry\" operation=\"charge\" attempt=1 class=\"TRANSIENT\" cause=\"exception\" sleep_seconds=0.25 \
         error_type=\"std::io::error::Error\" details=\"io=ConnectionReset\" breaker=\"billing\" elapsed_seconds=0.0"
    );
    let line = |level: &str, says: &str| lines.iter().any(|line| line.starts_with(level) && line.contains(says));
    assert!(line(" WARN", "redress::call: the call failed: the attempts allowed were used up"), "{text}");
    assert!(line(" WARN", "redress::breaker: the circuit opened"), "{text}");
    assert!(line(" INFO", "redress::breaker: the circuit lets a probe through"), "{text}");
    // Fields that do not apply leave no gap in the span's fields.
    let closed = "redress.call{operation=\"charge\" breaker=\"billing\" outcome=\"success\" attempts=1 elapsed_seconds=0.0}: \
                  redress::breaker: the circuit closed";
    assert!(line(" INFO", closed), "{text}");
}

#[test]
fn at_warn_there_is_no_span_and_the_lines_say_it_all_the_same() {
    let text = logged(Level::WARN);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines.iter().all(|line| line.contains("operation=\"charge\"") && !line.contains("redress.call{")),
        "{text}"
    );
}

#[test]
fn no_level_shows_the_errors_text() {
    assert!(!logged(Level::TRACE).contains("hunter2"));
    assert_eq!(logged(Level::ERROR), "");
}
