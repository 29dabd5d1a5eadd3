//! gRPC for redress: status codes to classes, server pushback, deadlines, a layer for tonic channels.

#![forbid(unsafe_code)]
