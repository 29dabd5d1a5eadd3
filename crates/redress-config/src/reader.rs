//! [`Reader`] collects what is wrong while settings are read from the tree.

use std::collections::BTreeSet;

use redress_core::error::ConfigValue;

use crate::environment::variable_form;
use crate::nearest::nearest;
use crate::path::Path;
use crate::problem::{FileError, Place, Problem};
use crate::source::{Sources, Span};
use crate::tree::{Node, Value};

/// How many problems are described; the others are counted.
const MOST: usize = 100;

/// How many characters of a value an error shows.
const SHOWN: usize = 60;

/// How deep strategies may wrap each other.
pub(crate) const DEEPEST: usize = 16;

/// What is read from files and variables, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) sources: Sources,
    pub(crate) path: Path,
    /// The names that policies can refer to.
    pub(crate) breakers: BTreeSet<String>,
    pub(crate) budgets: BTreeSet<String>,
    /// The settings whose values could not be read, which have another value in the draft.
    unread: BTreeSet<Path>,
    problems: Vec<(Span, Problem)>,
    omitted: usize,
}

impl Reader {
    pub(crate) const fn of(sources: Sources) -> Self {
        Self {
            sources,
            path: Path::new(),
            breakers: BTreeSet::new(),
            budgets: BTreeSet::new(),
            unread: BTreeSet::new(),
            problems: Vec::new(),
            omitted: 0,
        }
    }

    pub(crate) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Runs `read` for the value under a key of the present table.
    pub(crate) fn within<R>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push(key);
        let result = read(self);
        self.path.pop();
        result
    }

    /// The value at the present path breaks a rule.
    pub(crate) fn refuse(&mut self, node: &Node, rule: impl Into<String>) {
        let value = text_of(&self.sources, node);
        self.unread.insert(self.path.clone());
        self.add(node.span, value, rule.into(), None);
    }

    /// The value at the present path is not one of the known ones.
    pub(crate) fn refuse_name<'n>(
        &mut self,
        node: &Node,
        rule: impl Into<String>,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let near = node.as_text().filter(|_| !self.is_full()).and_then(|name| nearest(name, known)).map(str::to_owned);
        let value = text_of(&self.sources, node);
        self.unread.insert(self.path.clone());
        self.add(node.span, value, rule.into(), near);
    }

    /// The key at the present path is not one of the known ones. The nearest of them is shown as
    /// the source would spell it.
    pub(crate) fn refuse_key<'n>(
        &mut self,
        key: &str,
        span: Span,
        rule: impl Into<String>,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let near = if self.is_full() { None } else { nearest(key, known) };
        let is_variable = self.sources.of(span).is_some_and(|source| source.is_name(span));
        let near = near.map(|near| if is_variable { variable_form(near) } else { near.to_owned() });
        self.add(span, None, rule.into(), near);
    }

    /// The table at the present path lacks something.
    pub(crate) fn refuse_table(&mut self, span: Span, rule: impl Into<String>) {
        self.unread.insert(self.path.clone());
        self.add(span, None, rule.into(), None);
    }

    /// The text of a format breaks the rules of the format.
    pub(crate) fn refuse_text(&mut self, span: Span, sentence: impl Into<String>) {
        let path = std::mem::take(&mut self.path);
        self.add(span, None, sentence.into(), None);
        self.path = path;
    }

    /// A rule of a builder is broken at this path, by a value that the builder describes so.
    pub(crate) fn refuse_at(&mut self, root: &Node, path: &Path, value: &ConfigValue, rule: &str) {
        if self.is_full() {
            self.omitted += 1;
        } else {
            self.problems.push(problem_at(&self.sources, root, path, Some(value), rule));
        }
    }

    /// Whether the draft has the value that the sources have at this path.
    pub(crate) fn has_read(&self, path: &Path) -> bool {
        !self.unread.contains(path)
    }

    /// Whether further problems are only counted.
    fn is_full(&self) -> bool {
        self.problems.len() == MOST
    }

    fn add(&mut self, span: Span, value: Option<String>, rule: String, near: Option<String>) {
        if self.is_full() {
            self.omitted += 1;
        } else {
            let problem = problem(&self.sources, span, self.path.to_string(), value, rule, near);
            self.problems.push((span, problem));
        }
    }

    /// The error, with the problems in the order of their sources.
    pub(crate) fn error(mut self) -> FileError {
        self.problems.sort_by_key(|(span, _)| (span.source, span.start));
        let problems = self.problems.into_iter().map(|(_, problem)| problem).collect();
        FileError::new(problems, self.omitted)
    }
}

/// A problem with the setting at a path, or with what is left out there. A value that the sources
/// do not have is shown as `described`.
pub(crate) fn problem_at(
    sources: &Sources,
    root: &Node,
    path: &Path,
    value: Option<&ConfigValue>,
    rule: &str,
) -> (Span, Problem) {
    let (found, depth) = path.find(root);
    let span = found.shown();
    let is_set = depth == path.depth() && found.node.as_table().is_none();
    let text = if is_set { text_of(sources, found.node) } else { None };
    let text = text.or_else(|| value.map(ToString::to_string));
    (span, problem(sources, span, path.as_spelled(root).to_string(), text, rule.to_owned(), None))
}

fn problem(
    sources: &Sources,
    span: Span,
    field: String,
    value: Option<String>,
    rule: String,
    nearest: Option<String>,
) -> Problem {
    let (place, excerpt) = match sources.of(span) {
        Some(source) => {
            let place = source.place(span);
            let excerpt = source.excerpt(&place, span);
            (place, excerpt)
        }
        None => (Place::whole("policies".into()), None),
    };
    Problem { place, field, value, rule, nearest, excerpt }
}

/// The value as its source has it, in one line.
fn text_of(sources: &Sources, node: &Node) -> Option<String> {
    if let Value::Untyped(text) = &node.value {
        return Some(shortened(text));
    }
    let text = sources.of(node.span)?.text(node.span)?;
    (!text.is_empty()).then(|| shortened(text))
}

fn shortened(text: &str) -> String {
    let mut characters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = characters.by_ref().take(SHOWN).collect();
    if characters.next().is_some() {
        shown.push_str("..");
    }
    shown
}
