//! redress policies as tower layers, for clients and servers.

#![forbid(unsafe_code)]
