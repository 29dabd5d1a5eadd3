//! What the scenarios need of a driver.

use std::error::Error;
use std::path::Path;

use redress::{Classification, ErrorClass};

/// One connection.
pub(crate) trait Session: Sized + 'static {
    type Error: Error + Send + Sync + 'static;

    /// Whether the driver rolls back a failed statement alone, so that its transaction goes on.
    const HAS_SAVEPOINTS: bool = false;
    /// The class of a wrong password.
    const WRONG_PASSWORD: ErrorClass = ErrorClass::Auth;

    /// Runs a statement that the server does not prepare.
    async fn run(&mut self, sql: &str) -> Result<(), Self::Error>;

    /// Runs a statement that does not fail.
    async fn must_run(&mut self, sql: &str) {
        self.run(sql).await.unwrap_or_else(|error| panic!("`{sql}`: {error}"));
    }

    /// Returns the first column of the only row.
    async fn number(&mut self, sql: &str) -> Result<i64, Self::Error>;

    async fn begin(&mut self) -> Result<(), Self::Error> {
        self.run("BEGIN").await
    }

    async fn commit(&mut self) -> Result<(), Self::Error> {
        self.run("COMMIT").await
    }

    async fn roll_back(&mut self) -> Result<(), Self::Error> {
        self.run("ROLLBACK").await
    }

    /// Asks the classifier of the driver.
    fn classify(error: &(dyn Error + 'static)) -> Classification;
}

/// Where to connect, and as whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Login<'a> {
    pub(crate) port: u16,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
}

/// A session with a server.
pub(crate) trait Remote: Session {
    async fn connect(login: Login<'_>) -> Result<Self, Self::Error>;
}

/// A session with a file, which does not wait for locks.
pub(crate) trait Local: Session {
    async fn open(file: &Path) -> Result<Self, Self::Error>;
}
