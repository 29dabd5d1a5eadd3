//! Without a subscriber for its levels, the observer adds nothing to a call.
//!
//! A separate binary, because the maximum level is global to the process.

use redress_core::observe::CallStart;
use redress_core::{EventName, Observer};
use redress_tracing::TracingObserver;
use tracing::Level;
use tracing::subscriber::with_default;

#[test]
fn only_a_subscriber_that_enables_a_level_adds_to_a_call() {
    let call = CallStart::new(Some("op"));
    let is_active = |observer: &TracingObserver| observer.on_call_start(&call).is_some();
    let usual = TracingObserver::new();
    assert!(!is_active(&usual), "no subscriber at all");

    let enabled_at = |level| tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::sink).finish();
    with_default(enabled_at(Level::ERROR), || assert!(!is_active(&usual), "no event is an error by default"));
    with_default(enabled_at(Level::WARN), || assert!(is_active(&usual)));
    let louder = TracingObserver::builder().level(EventName::BudgetExhausted, Level::ERROR).build();
    with_default(enabled_at(Level::ERROR), || assert!(is_active(&louder)));
}
