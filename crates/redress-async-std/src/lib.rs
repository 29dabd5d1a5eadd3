//! redress on async-std: the timer, and the asynchronous policies that use it.

#![forbid(unsafe_code)]
