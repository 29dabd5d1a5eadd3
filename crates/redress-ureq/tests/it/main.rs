//! Tests of the agent and the classifier on real sockets.

mod agent;
mod bad_answers;
mod bodies;
mod classes;
mod classes_of_bodies;
mod not_acted_on;
mod own_retries;
mod secrets;
mod settings;
mod support;
mod time;
mod tls;
