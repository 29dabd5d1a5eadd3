//! Policy files through the public API.

mod errors;
mod identity;
mod limits;
mod overrides;
mod reload;
mod rules;
mod schema;
mod storm;
mod watch;
mod write_back;
