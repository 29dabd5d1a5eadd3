//! The checks through the public API, and the worst cases against the engine.

mod examine;
mod findings;
mod limits;
mod reached;
mod specs;
mod worst_case;
