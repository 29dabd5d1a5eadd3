//! A queue of apalis in a Redis server, and what the server holds of its tasks.

use std::collections::HashMap;

use apalis_redis::{Config, RedisStorage};
use redis::AsyncCommands as _;
use redis::aio::ConnectionManager;
use redress_servers::Redis;

/// A queue in a server that stops when this is dropped.
#[derive(Debug)]
pub struct Queue {
    connection: ConnectionManager,
    config: Config,
    _server: Redis,
}

/// The numbers of the tasks in each place of the queue, read in one transaction.
#[derive(Debug, PartialEq, Eq)]
pub struct Tasks {
    /// Wait for the time beside them, in seconds since the Unix epoch. The store pushes every task
    /// here, and a worker moves those that are due.
    pub scheduled: Vec<(String, u64)>,
    /// Ended as done.
    pub done: Vec<String>,
    /// Never run again.
    pub dead: Vec<String>,
    /// Held by a worker, or about to be.
    pub running: usize,
}

impl Queue {
    /// Starts a server with an empty queue.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    ///
    /// # Panics
    ///
    /// If Redis is not installed or does not start.
    pub async fn start(config: Config) -> redis::RedisResult<Self> {
        let server = Redis::start(&[]);
        let connection = apalis_redis::connect(server.url()).await?;
        Ok(Self { connection, config, _server: server })
    }

    /// The store, as a worker or a client of the queue has it.
    #[must_use]
    pub fn store(&self) -> RedisStorage<u32> {
        RedisStorage::new(self.connection.clone()).with_config(self.config.clone())
    }

    /// Reads where the tasks are.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub async fn tasks(&self) -> redis::RedisResult<Tasks> {
        let (scheduled, done, dead, pushed) = redis::pipe()
            .atomic()
            .zrange_withscores(self.config.scheduled_jobs_set(), 0, -1)
            .smembers(self.config.done_jobs_set())
            .smembers(self.config.dead_jobs_set())
            .hlen(self.config.job_data_hash())
            .query_async(&mut self.connection.clone())
            .await?;
        let mut tasks = Tasks { scheduled, done, dead, running: pushed };
        tasks.running = pushed.saturating_sub(tasks.scheduled.len() + tasks.done.len() + tasks.dead.len());
        Ok(tasks)
    }

    /// Reads what is written about a task: its metadata, and the fields of the store.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub async fn fields(&self, task: &str) -> redis::RedisResult<HashMap<String, String>> {
        self.connection.clone().hgetall(format!("{}:{task}", self.config.job_meta_hash())).await
    }
}

impl Tasks {
    /// Whether no task will run.
    #[must_use]
    pub fn are_over(&self) -> bool {
        self.scheduled.is_empty() && self.running == 0
    }
}
