#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod words;

mod circumstances;
mod code;
mod finding;

mod frontier;
mod rates;
mod waits;
mod worst_case;

mod checks;
mod examine;
mod subject;

pub use crate::circumstances::{Circumstances, Layer, Traffic};
pub use crate::code::Code;
pub use crate::examine::examine;
pub use crate::finding::{Finding, Severity};
pub use crate::waits::WaitRange;
pub use crate::worst_case::WorstCase;
