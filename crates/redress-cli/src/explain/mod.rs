//! What a policy does, in sentences, gates and waits.

mod gates;
pub(crate) mod picture;
mod sentences;
mod waits;

use std::io::{self, Write};

use redress_core::policy::PolicySpec;
use serde::Serialize;

pub(crate) use self::waits::Waits;
use crate::output::wrapped;
use crate::style;

/// What a policy does.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation {
    policy: String,
    sentences: Vec<String>,
    gates: Vec<gates::Gate>,
    pub(crate) waits: Vec<Waits>,
}

impl Explanation {
    pub(crate) fn of(name: &str, spec: &PolicySpec) -> Self {
        Self { policy: name.to_owned(), sentences: sentences::of(spec), gates: gates::of(spec), waits: Waits::of(spec) }
    }

    /// Writes the explanation, 80 columns wide.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let strong = style::STRONG;
        writeln!(out, "{strong}{}{strong:#}", self.policy)?;
        for sentence in &self.sentences {
            writeln!(out, "{}", wrapped(sentence, "  "))?;
        }
        if !self.waits.is_empty() {
            writeln!(out, "\n{strong}What a failure passes before it is retried{strong:#}")?;
            writeln!(out, "{}", wrapped("In this order: the first that refuses ends the call.", "  "))?;
            gates::write(&self.gates, out)?;
            writeln!(out, "\n{strong}Waits{strong:#}")?;
            writeln!(out, "{}", wrapped("Without hints. Half of the waits are shorter than the median.", "  "))?;
        }
        self.waits.iter().try_for_each(|waits| waits.write(out))
    }
}
