//! Scenarios as text: those that come with the crate, and those of a user's files.

use crate::error::joined;
use crate::file::Document;
use crate::scenario::Scenario;
use redress_core::error::ConfigIssue;

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        /// The files in `scenarios/`, by name.
        const SHIPPED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../scenarios/", $name, ".toml")))),+];
    };
}

shipped! {
    "blip", "slow-death", "hard-outage", "overload", "flapping",
    "retry-storm", "bad-shard", "rate-limit", "cold-start", "deploy",
}

/// Why a text is no scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// It is not TOML, or has a setting that is unknown, missing or of another type. The text says
    /// where.
    #[error("{0}")]
    Syntax(String),
    /// Its settings break these rules.
    #[error("invalid scenario: {}", joined(.0))]
    Invalid(Vec<ConfigIssue>),
    /// No scenario of this name comes with the crate.
    #[error("no scenario `{name}`: there are {}", Scenario::names().collect::<Vec<_>>().join(", "))]
    Unknown {
        /// The name.
        name: String,
    },
}

impl Scenario {
    /// Reads a scenario file. The crate's guide lists the settings.
    ///
    /// ```
    /// use redress_sim::Scenario;
    ///
    /// let scenario = Scenario::from_toml(
    ///     r#"
    ///     about = "The server answers every request late for ten seconds."
    ///     horizon = "60s"
    ///     clients = 100
    ///
    ///     [load]
    ///     rate = 70                          # calls a second, of all clients together
    ///
    ///     [server]
    ///     workers = 1
    ///     service = { exponential = "8ms" }
    ///
    ///     [[fault]]
    ///     kind = "slow"
    ///     from = "20s"
    ///     until = "30s"
    ///     times = 5
    ///     "#,
    /// )?;
    /// assert_eq!(scenario.client_count(), 100);
    ///
    /// let error = Scenario::from_toml("horizon = \"soon\"").unwrap_err().to_string();
    /// assert!(error.contains("line 1, column 11"), "{error}");
    /// # Ok::<(), redress_sim::ScenarioError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first setting that cannot be read, or every rule that the settings break.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let document: Document =
            toml::from_str(text).map_err(|error| ScenarioError::Syntax(error.to_string().trim_end().to_owned()))?;
        let (scenario, mut issues) = document.scenario();
        issues.extend(scenario.issues());
        if issues.is_empty() { Ok(scenario) } else { Err(ScenarioError::Invalid(issues)) }
    }

    /// The names of the scenarios that come with the crate.
    ///
    /// ```
    /// use redress_sim::Scenario;
    ///
    /// for name in Scenario::names() {
    ///     println!("{name}: {}", Scenario::named(name)?.description());
    /// }
    /// # Ok::<(), redress_sim::ScenarioError>(())
    /// ```
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// The scenario of this name that comes with the crate.
    ///
    /// # Errors
    ///
    /// If there is none. The error lists the [names](Self::names).
    pub fn named(name: &str) -> Result<Self, ScenarioError> {
        let text = Self::source(name).ok_or_else(|| ScenarioError::Unknown { name: name.to_owned() })?;
        Ok(Self::from_toml(text)?.name(name))
    }

    /// The file of the scenario of this name, to begin a scenario with. `None` if there is none.
    #[must_use]
    pub fn source(name: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|(other, _)| *other == name).map(|(_, text)| *text)
    }
}
