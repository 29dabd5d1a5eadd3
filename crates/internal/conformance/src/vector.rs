//! [`Vector`]: a configuration, steps, and what must be seen after each.

use std::fmt::Display;

use serde::de::DeserializeOwned;

/// A vector of a rule's model, written apart from this code.
pub trait Vector: DeserializeOwned {
    /// A step after which something else was seen than the vector expects.
    type Wrong: Display;

    /// The name of the vector.
    fn id(&self) -> &str;

    /// Plays the steps, and returns the first that differs.
    ///
    /// # Errors
    ///
    /// If the subject cannot be built, or a step is not in the format: it ends what was not
    /// granted, or goes back in time.
    fn play(&self) -> Result<Option<Self::Wrong>, String>;

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
