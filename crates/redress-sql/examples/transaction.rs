//! A whole transaction as the operation: a conflict is retried from BEGIN on, and a connection that
//! is lost while COMMIT runs is not, because the transaction may have been committed.
//!
//! `cargo run -p redress-sql --example transaction --features sqlx` uses a database of SQLite in a
//! temporary folder. A rival writes between the first attempt's statements, and the loss of the
//! connection is simulated.

use std::time::Duration;
use std::{io, path};

use anyhow::{Context as _, bail};
use redress::error::PermanentError;
use redress::integration::sql::{CommitError, SqlxClassifier, sqlx_classifier};
use redress::runtime::tokio::AsyncPolicy;
use redress::{Retry, StopReason, decorrelated_jitter};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Executor as _, SqlitePool};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let pool = open(&folder.path().join("bank.db")).await?;
    let policy = AsyncPolicy::builder()
        .classifier(sqlx_classifier())
        .retry(Retry::builder().strategy(decorrelated_jitter().base(Duration::from_millis(20))).max_attempts(4))
        .deadline(Duration::from_secs(10))
        .build()?;
    let bank = Bank { pool, policy };

    println!("a conflict:");
    bank.transfer(1, 30, Trouble::Rival).await?;
    println!("  {:?}", bank.balances().await?);

    println!("a connection that is lost during COMMIT:");
    bank.transfer(2, 20, Trouble::LostAtCommit).await?;
    println!("  {:?}", bank.balances().await?);
    Ok(())
}

async fn open(file: &path::Path) -> anyhow::Result<SqlitePool> {
    let options =
        SqliteConnectOptions::new().filename(file).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
    pool.execute(
        "CREATE TABLE accounts (name TEXT PRIMARY KEY, balance INTEGER NOT NULL);
         CREATE TABLE transfers (id INTEGER PRIMARY KEY);
         INSERT INTO accounts VALUES ('from', 100), ('to', 0)",
    )
    .await?;
    Ok(pool)
}

/// What goes wrong, for this example.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Rival,
    LostAtCommit,
}

struct Bank {
    pool: SqlitePool,
    policy: AsyncPolicy<SqlxClassifier>,
}

/// The error of one attempt. COMMIT has a variant, so that the classifier can tell it apart.
#[derive(Debug, thiserror::Error)]
enum TransferError {
    #[error("a statement failed")]
    Statement(#[from] sqlx::Error),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error("declined")]
    Declined(#[from] PermanentError),
}

impl Bank {
    /// Moves an amount. The id of the transfer is a row of the same transaction, so that the
    /// outcome can be looked up when it is not known.
    async fn transfer(&self, id: i64, amount: i64, trouble: Trouble) -> anyhow::Result<()> {
        let outcome = self.policy.execute_with(async |attempt| {
            println!("  attempt {}", attempt.number());
            let rival = trouble == Trouble::Rival && attempt.number() == 1;
            self.attempt(id, amount, rival, trouble == Trouble::LostAtCommit).await
        });
        let outcome = outcome.await;
        match outcome.stop_reason() {
            None => println!("  committed"),
            Some(StopReason::RetryForbidden) if self.is_committed(id).await? => {
                println!("  not retried: the outcome was not known; the database says it is committed");
            }
            Some(reason) => bail!("transfer {id} failed: {reason}"),
        }
        Ok(())
    }

    /// One attempt, from BEGIN to COMMIT. A transaction that is dropped is rolled back.
    async fn attempt(&self, id: i64, amount: i64, rival: bool, is_lost: bool) -> Result<(), TransferError> {
        let mut transaction = self.pool.begin().await?;
        let (balance,): (i64,) =
            sqlx::query_as("SELECT balance FROM accounts WHERE name = 'from'").fetch_one(&mut *transaction).await?;
        if rival {
            self.pool.execute("UPDATE accounts SET balance = balance - 1 WHERE name = 'from'").await?;
        }
        if balance < amount {
            return Err(PermanentError::new("the balance is too low").into());
        }
        for (name, change) in [("from", -amount), ("to", amount)] {
            let update =
                sqlx::query("UPDATE accounts SET balance = balance + ? WHERE name = ?").bind(change).bind(name);
            update.execute(&mut *transaction).await?;
        }
        sqlx::query("INSERT INTO transfers VALUES (?)").bind(id).execute(&mut *transaction).await?;
        transaction.commit().await.map_err(CommitError::new)?;
        if is_lost {
            let lost = sqlx::Error::Io(io::ErrorKind::ConnectionReset.into());
            return Err(CommitError::new(lost).into());
        }
        Ok(())
    }

    async fn is_committed(&self, id: i64) -> anyhow::Result<bool> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT id FROM transfers WHERE id = ?").bind(id).fetch_optional(&self.pool).await?;
        Ok(row.is_some())
    }

    async fn balances(&self) -> anyhow::Result<Vec<(String, i64)>> {
        let balances = sqlx::query_as("SELECT name, balance FROM accounts").fetch_all(&self.pool).await;
        balances.context("could not read the balances")
    }
}
