//! Without a subscriber for its levels, the observer adds nothing to a call.
//!
//! A separate binary, because the maximum level is global to the process.

use redress_core::observe::CallStart;
use redress_core::{EventName, Observer};
use redress_tracing::TracingObserver;
use tracing::Level;
use tracing::subscriber::with_default;

#[test]
fn only_a_subscriber_that_hears_a_level_makes_calls_cost_something() {
    let call = CallStart::new(Some("op"));
    let goes_along = |observer: &TracingObserver| observer.on_call_start(&call).is_some();
    let usual = TracingObserver::new();
    assert!(!goes_along(&usual), "no subscriber at all");

    let hears = |level| tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::sink).finish();
    with_default(hears(Level::ERROR), || assert!(!goes_along(&usual), "nothing is told as an error"));
    with_default(hears(Level::WARN), || assert!(goes_along(&usual)));
    let louder = TracingObserver::builder().level(EventName::BudgetExhausted, Level::ERROR).build();
    with_default(hears(Level::ERROR), || assert!(goes_along(&louder)));
}
