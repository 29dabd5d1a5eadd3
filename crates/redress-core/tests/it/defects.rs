//! Defects seen in libraries for the same task, each as the test that redress does not have it.
//!
//! A test is named after the sound behaviour, keeps close to how the defect was observed, and says
//! where. Where the test of a feature rules a defect out, it names the defect, and is not repeated
//! here. A number beside a library's name is an issue or pull request of it. redress-py is the
//! Python original, and R2 to R11 are the points of its review, of which the titles are known: a
//! test that stands for one shows the behaviour that the title asks for.
//!
//! Two defects can have no test: retry-policies and reqwest-retry measure elapsed time by the wall
//! clock, whose name `cargo xtask tidy` refuses in the core, and a retry that is silently off
//! because no timer was given (aws-sdk-rust 359 and 586) does not compile. Defects that concern
//! HTTP are in redress-http's tests.

mod breaker;
mod calls;
mod waits;
