//! Policy files through the public API.

mod errors;
mod reload;
mod write_back;
