//! What a task becomes when its call ends, through the public API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deliveries;
mod next_task;
#[path = "../../examples/an_hour_of_outage/queue.rs"]
mod queue;
