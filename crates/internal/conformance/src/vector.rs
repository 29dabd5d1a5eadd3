//! [`Vector`]: a configuration, steps, and what must be seen after each.

use std::fmt::{self, Debug, Display};

use serde::de::DeserializeOwned;

/// A vector of a rule's model, written apart from this code.
pub trait Vector: DeserializeOwned {
    /// The name of the vector.
    fn id(&self) -> &str;

    /// Plays the steps, and returns the first that differs.
    ///
    /// # Errors
    ///
    /// If the subject cannot be built, or a step is not in the format: it ends what was not
    /// granted, or goes back in time.
    fn play(&self) -> Result<Option<WrongStep>, String>;

    /// Reads vectors, one JSON object a line.
    ///
    /// # Errors
    ///
    /// If a line is not in the format.
    fn parse(text: &str) -> Result<Vec<Self>, serde_json::Error> {
        text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str).collect()
    }

    /// What differs, if something does: the name, and the first wrong step or the error.
    fn difference(&self) -> Option<String> {
        let why = self.play().map(|wrong| wrong.map(|wrong| wrong.to_string())).unwrap_or_else(Some)?;
        Some(format!("{}: {why}", self.id()))
    }
}

/// A step after which something else was seen than the vector expects.
#[derive(Clone, Debug)]
pub struct WrongStep {
    pub(crate) index: usize,
    step: String,
    expected: String,
    seen: String,
}

impl WrongStep {
    /// Both lists end where the longer one does, so each of these may be `None`.
    pub(crate) fn new(index: usize, step: &impl Debug, expected: &impl Debug, seen: &impl Debug) -> Self {
        let [step, expected, seen] = [format!("{step:?}"), format!("{expected:?}"), format!("{seen:?}")];
        Self { index, step, expected, seen }
    }
}

impl Display for WrongStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, step, expected, seen } = self;
        write!(f, "step {index}, {step}: expected {expected}, got {seen}")
    }
}
