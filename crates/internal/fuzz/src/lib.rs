#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod reader;
mod replay;

mod http_date;
mod retry_after;
mod response_head;
mod llm_response;
mod hostile_error;
mod resume_tokens;
mod sent_time;
mod text_parsers;
mod conformance_reader;
mod policy_file;

mod strategies;

pub use crate::conformance_reader::conformance_reader;
pub use crate::llm_response::llm_response;
pub use crate::policy_file::policy_file;
pub use crate::replay::replay_files;
pub use crate::response_head::response_head;
pub use crate::retry_after::retry_after;
pub use crate::strategies::strategies;
pub use crate::text_parsers::text_parsers;
pub use redress_proof::{engine_schedule, permit_schedule};
