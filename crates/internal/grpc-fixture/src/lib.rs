//! The stubs of `proto/echo.proto`: a client, a server, and two messages.
//!
//! Tests implement the server.

#![forbid(unsafe_code)]

#[expect(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::missing_errors_doc,
    reason = "generated"
)]
mod echo {
    tonic::include_proto!("redress.fixture");
}

pub use echo::echo_client::EchoClient;
pub use echo::echo_server::{Echo, EchoServer};
pub use echo::{Ping, Pong};
