//! Overrides from the environment: `REDRESS__POLICY__ORDERS__RETRY__MAX_ATTEMPTS=3`.
//!
//! They are applied to the tree, with the variable as the source of the value, so its errors name
//! the variable.

use redress_core::ErrorClass;

use crate::class::{class_key, class_of};
use crate::keys::file::{BREAKERS, BUDGETS, POLICIES};
use crate::nearest::nearest;
use crate::reader::Reader;
use crate::source::{Source, Span};
use crate::toml;
use crate::tree::{Entry, Node, Value};

/// The beginning of the names of variables.
pub(crate) const PREFIX: &str = "REDRESS__";

const SEPARATOR: &str = "__";

/// A variable of the environment.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Sets the value of a variable in the tree. A variable that fits nowhere is a problem.
pub(crate) fn apply(variable: &Variable, root: &mut Node, reader: &mut Reader) {
    let source = reader.sources.add(Source::variable(&variable.name, &variable.value));
    let start = variable.name.len() + 1;
    let span = Span { source, start, end: start + variable.value.len() };
    let node = value(&variable.value, span, reader);
    let keys: Vec<_> = variable.name[PREFIX.len()..].split(SEPARATOR).collect();
    let path = std::mem::take(&mut reader.path);
    set(root, &keys, node, Span { source, start: 0, end: start - 1 }, reader);
    reader.path = path;
}

/// Lists, tables and quoted texts are those of TOML. Other text is read as the setting wants it.
fn value(text: &str, span: Span, reader: &mut Reader) -> Node {
    if text.starts_with(['[', '{', '"', '\'']) {
        let mut node = toml::read_value(text, span.source, span.start, reader);
        node.span = span;
        node
    } else {
        Node { value: Value::Untyped(text.to_owned()), span }
    }
}

fn set(table: &mut Node, keys: &[&str], value: Node, name: Span, reader: &mut Reader) {
    let Some((first, rest)) = keys.split_first() else { return };
    let Value::Table(entries) = &mut table.value else {
        reader.refuse_table(name, "be a table, which the variable sets a value of");
        return;
    };
    let Some(key) = key_of(first, entries, name, reader) else { return };
    let is_new = !entries.iter().any(|entry| entry.key == key);
    let section = [POLICIES, BREAKERS, BUDGETS].into_iter().find(|section| reader.path.is(section));
    if let (true, Some(section)) = (is_new, section) {
        let known: Vec<_> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let near = nearest(&key, known.iter().copied());
        let known: Vec<_> = near.into_iter().collect();
        reader.within(&key, |reader| {
            reader.refuse_key(&key, name, format!("be the name of a [{section}.*] of the file"), known);
        });
        return;
    }
    if is_new {
        entries.push(Entry { key: key.clone(), span: name, node: Node::empty_table(name) });
    }
    let Some(entry) = entries.iter_mut().find(|entry| entry.key == key) else { return };
    if rest.is_empty() {
        entry.node = value;
    } else {
        reader.within(&key, |reader| set(&mut entry.node, rest, value, name, reader));
    }
}

/// The key that a part of the variable's name stands for: one of the table, a class, or the name of
/// a setting in lower case. `None` after a problem.
fn key_of(part: &str, entries: &[Entry], name: Span, reader: &mut Reader) -> Option<String> {
    let wanted = variable_form(part);
    let fits: Vec<_> = entries.iter().filter(|entry| variable_form(&entry.key) == wanted).collect();
    match fits.as_slice() {
        [] => Some(
            ErrorClass::from_name(&wanted).map_or_else(|| part.to_lowercase(), |class| class_key(class).to_owned()),
        ),
        [entry] => Some(entry.key.clone()),
        [first, second, ..] => {
            let rule = format!("be named by one variable only: it could be `{}` or `{}`", first.key, second.key);
            reader.within(part, |reader| reader.refuse_table(name, rule));
            None
        }
    }
}

/// A key as it is in the names of variables. Classes are as in metrics.
pub(crate) fn variable_form(key: &str) -> String {
    match class_of(key) {
        Some(class) => class.as_str().to_owned(),
        None => key.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).flat_map(char::to_uppercase).collect(),
    }
}
