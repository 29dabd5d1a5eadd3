//! The crate through its public names; the layer against a real tonic server on a real socket.

mod classifier;
mod grpc_timeout;
mod operation;
mod pushback;
mod retry_info;

mod echo;
mod lab;
mod raw;

mod arbitrary;
mod channel;
mod deadlines;
mod hostile;
mod places;
mod settings;
mod streaming;
mod types;
mod unary;
mod whose_failure;
