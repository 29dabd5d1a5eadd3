//! What a report keeps of its scenario: name, length, and when there was trouble.

use std::ops::Range;

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Until the [trouble](crate::Scenario::trouble) begins: the whole run if there is none.
    Before,
    /// While there is trouble.
    During,
    /// After it.
    After,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outline {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) clients: u32,
    pub(crate) seconds: usize,
    /// The first and the last second of the trouble, the end excluded.
    pub(crate) trouble: Option<Range<usize>>,
}

impl Outline {
    pub(crate) fn phase(&self, phase: Phase) -> Range<usize> {
        match (&self.trouble, phase) {
            (None, Phase::Before | Phase::After) => 0..self.seconds,
            (None, Phase::During) => 0..0,
            (Some(trouble), Phase::Before) => 0..trouble.start,
            (Some(trouble), Phase::During) => trouble.clone(),
            (Some(trouble), Phase::After) => trouble.end..self.seconds,
        }
    }
}
