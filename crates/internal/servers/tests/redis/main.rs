//! A real Redis server, met with redis 1. `tests/redis_2` runs the same files with redis 2.

use redis as client;

mod access;
mod cluster;
mod connections;
mod loading;
mod lost;
mod refusals;
mod replies;
mod transactions;
