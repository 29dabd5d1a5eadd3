//! Policy files through the public API.

mod errors;
mod identity;
mod reload;
mod rules;
mod schema;
mod write_back;
