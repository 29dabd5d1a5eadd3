//! Policy files through the public API.

mod errors;
mod write_back;
