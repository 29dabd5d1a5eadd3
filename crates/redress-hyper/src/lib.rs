//! A retrying HTTP client for redress over hyper and hyper-util.

#![forbid(unsafe_code)]
