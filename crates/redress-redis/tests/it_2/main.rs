//! The files of `tests/it` that use the client, with redis 2.

use redis_2 as client;

#[path = "../it/chain.rs"]
mod chain;
#[path = "../it/kinds.rs"]
mod kinds;
#[path = "../it/pipelines.rs"]
mod pipelines;
#[path = "../it/policy.rs"]
mod policy;
#[path = "../it/reply.rs"]
mod reply;
#[path = "../it/stub.rs"]
mod stub;
#[path = "../it/watch.rs"]
mod watch;
