//! gRPC for redress: status codes to classes, server pushback, deadlines, names.

#![forbid(unsafe_code)]

mod code;
pub use code::classify_code;

mod pushback;
pub use pushback::{Pushback, RETRY_PUSHBACK};

mod retry_info;
pub use retry_info::retry_delay;

mod transport_error;

mod classifier;
pub use classifier::{GrpcClassifier, classify_status, grpc_classifier};

mod operation;
pub use operation::{default_operation, rpc_method_name, rpc_service_name};

mod grpc_timeout;
pub use grpc_timeout::{encode_grpc_timeout, parse_grpc_timeout};

pub mod differences;
