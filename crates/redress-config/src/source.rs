//! [`Sources`], the file and the variables that values come from, and the places in their texts.

use std::sync::{Arc, OnceLock};

use crate::problem::{Excerpt, Place};

/// A part of the text of a source, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// The index of the source.
    pub(crate) source: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A file or a variable that values come from.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name of the file, or of the variable.
    name: Arc<str>,
    /// The content of the file, or `NAME=value`.
    text: Arc<str>,
    is_variable: bool,
    /// Made for the first place that is asked for: a good file needs none.
    marks: OnceLock<Vec<Mark>>,
}

/// The file and the variables, in the order in which they are read.
#[derive(Debug, Default)]
pub(crate) struct Sources(Vec<Source>);

impl Sources {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a source. Returns its index.
    pub(crate) fn add(&mut self, source: Source) -> usize {
        self.0.push(source);
        self.0.len() - 1
    }

    /// The source of a span. Values that were not read have none.
    pub(crate) fn of(&self, span: Span) -> Option<&Source> {
        self.0.get(span.source)
    }
}

/// A byte of the text whose place is known. The first one is the first byte of the text, and the
/// others are in order.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    byte: usize,
    line: usize,
    column: usize,
}

/// How many bytes there are between two marks in a line: a file may be one long line.
const APART: usize = 1 << 10;

impl Source {
    pub(crate) fn file(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into(), is_variable: false, marks: OnceLock::new() }
    }

    pub(crate) fn variable(name: &str, value: &str) -> Self {
        let text = format!("{name}={value}").into();
        Self { name: name.into(), text, is_variable: true, marks: OnceLock::new() }
    }

    /// The text of a span.
    pub(crate) fn text(&self, span: Span) -> Option<&str> {
        self.text.get(span.start..span.end)
    }

    /// Whether the span is in the name of a variable, and not in its value.
    pub(crate) fn is_name(&self, span: Span) -> bool {
        self.is_variable && span.start < self.name.len()
    }

    /// The place of a span. A variable has no lines.
    pub(crate) fn place(&self, span: Span) -> Place {
        if self.is_variable {
            return Place::whole(self.name.clone());
        }
        let Mark { byte, line, column } = self.mark_before(span.start);
        let between = self.text.get(byte..span.start).unwrap_or_default();
        Place::at(self.name.clone(), line, column + between.chars().count())
    }

    /// The line of a span, with the span marked.
    pub(crate) fn excerpt(&self, place: &Place, span: Span) -> Option<Excerpt> {
        Excerpt::of(place, &self.text, span.start, span.end)
    }

    /// The last mark that is not behind the byte.
    fn mark_before(&self, byte: usize) -> Mark {
        let marks = self.marks.get_or_init(|| marks(&self.text));
        let behind = marks.partition_point(|mark| mark.byte <= byte);
        marks[..behind].last().copied().unwrap_or_default()
    }
}

/// A mark at the beginning of each line, and further ones in long lines.
fn marks(text: &str) -> Vec<Mark> {
    let mut marks = vec![Mark::default()];
    let mut here = Mark::default();
    let mut last = 0;
    for (byte, character) in text.char_indices() {
        here.byte = byte;
        if byte - last >= APART {
            marks.push(here);
            last = byte;
        }
        here.column += 1;
        if character == '\n' {
            here = Mark { byte: byte + 1, line: here.line + 1, column: 0 };
            marks.push(here);
            last = here.byte;
        }
    }
    marks
}
