//! What Sentry receives of redress calls, through the public API.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod calls;
mod groups;
mod hooks;
mod http;
mod hubs;
mod limits;
mod policies;
mod settings;
