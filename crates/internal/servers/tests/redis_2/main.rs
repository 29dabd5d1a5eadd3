//! The files of `tests/redis` with redis 2.

use redis_2 as client;

#[path = "../redis/access.rs"]
mod access;
#[path = "../redis/cluster.rs"]
mod cluster;
#[path = "../redis/connections.rs"]
mod connections;
#[path = "../redis/loading.rs"]
mod loading;
#[path = "../redis/lost.rs"]
mod lost;
#[path = "../redis/refusals.rs"]
mod refusals;
#[path = "../redis/replies.rs"]
mod replies;
#[path = "../redis/transactions.rs"]
mod transactions;
