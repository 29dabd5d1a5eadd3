//! Tests of every setting of the core. Each setting has a test that fails if it is ignored, on both
//! drivers, in virtual time.

mod lab;
mod polled;
mod circuit;
mod rules;
mod reconfigure;
mod sample;

mod resume;
mod retry;
mod forbidden;
mod clock_readings;
mod deadline;
mod deadline_value;
mod nesting;
mod frames;
mod inherited;
mod validation;

mod classifiers;
mod default_classifier;
mod own_classifier;
mod strategies;
mod strategy_specs;
mod policy_specs;
mod presets;
mod adaptive;

mod budget;
mod earned;
mod permit;
mod breaker;
mod judged;
mod keyed;
mod spec;

mod context;
mod sleeping;
mod hooks;
mod on_retry;
mod panics;
mod panic_points;
mod events;
mod evidence;
mod explain;
mod names;
mod closed_sets;
mod several_observers;

mod outcome;
mod printing;
mod call_error;
mod call_observers;

mod futures;
mod driven;
mod cancellation;
mod abandoned;
mod abort;
mod detached;

mod defects;
