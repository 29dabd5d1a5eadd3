#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod clock;
mod executor;
mod timer;

mod retry_spec;
mod strategy;

mod script;

mod breaker;
mod fake_policy;
mod record;
mod recording_policy;

mod assertions;
mod classified;
mod recorder;

mod lock;

pub use crate::assertions::{OutcomeAssertion, TimelineAssertion, assert_outcome, assert_timeline};
pub use crate::breaker::{BreakerDecision, FakeCircuitBreaker};
pub use crate::classified::assert_classified;
pub use crate::clock::VirtualClock;
pub use crate::fake_policy::FakePolicy;
pub use crate::record::{CallRecord, ExecuteRecord};
pub use crate::recorder::Recorder;
pub use crate::recording_policy::RecordingPolicy;
pub use crate::retry_spec::no_retries;
pub use crate::script::{Script, ScriptRun};
pub use crate::strategy::{DeterministicStrategy, instant_retries};
pub use crate::timer::{VirtualSleep, VirtualTimer};
