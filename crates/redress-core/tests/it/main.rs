//! Every knob of the core: each has a test that fails when the knob is ignored, on both drivers, in virtual time.

mod lab;

mod retry;
mod deadline;
mod validation;
mod breaker;
mod permit;
mod budget;
mod context;
mod sleeping;
mod hooks;
mod panics;
mod events;
