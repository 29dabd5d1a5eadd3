//! [`Changes`], what a reload changed, setting by setting.

use std::collections::BTreeMap;
use std::fmt;

use crate::file::PolicyFile;
use crate::path::Path;
use crate::tree::{Entry, Node, Value};
use crate::write;

/// What a reload changed: each setting with its values before and after.
///
/// `Display` writes a line for each, such as `policy.orders.retry.max_attempts: 4 -> 2`, or
/// `breaker.orders: added`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(Vec<Change>);

/// One setting that changed, or one part that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The setting, such as `policy.orders.retry.max_attempts`, or the part, such as
    /// `breaker.orders`.
    pub field: String,
    /// The value before, as a file writes it; `None` for the default, and for a part that came.
    pub before: Option<String>,
    /// The value after, as a file writes it; `None` for the default, and for a part that went.
    pub after: Option<String>,
    /// Whether it is a whole part.
    is_part: bool,
}

impl Changes {
    /// What two files say differently.
    #[must_use]
    pub fn between(before: &PolicyFile, after: &PolicyFile) -> Self {
        let mut changes = Vec::new();
        diff(&mut Path::default(), Some(&before.written()), Some(&after.written()), &mut changes);
        Self(changes)
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The changes, in the order of files that redress writes.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.0.iter()
    }
}

fn diff(path: &mut Path, before: Option<&Node>, after: Option<&Node>, changes: &mut Vec<Change>) {
    let tables = (before.and_then(Node::as_table), after.and_then(Node::as_table));
    let (Some(old), Some(new)) = tables else {
        let text = |node: Option<&Node>| node.map(|node| write::inline(&node.value));
        let (before, after) = (text(before), text(after));
        if before != after {
            changes.push(Change { field: path.to_string(), before, after, is_part: path.depth() == 2 });
        }
        return;
    };
    let by_key =
        |entries: &[Entry]| entries.iter().map(|entry| entry.key.clone()).zip(0_usize..).collect::<BTreeMap<_, _>>();
    let (old_keys, new_keys) = (by_key(old), by_key(new));
    for entry in old {
        path.push(&entry.key);
        let after = new_keys.get(&entry.key).map(|index| &new[*index].node);
        diff(path, Some(&entry.node), after, changes);
        path.pop();
    }
    for entry in new.iter().filter(|entry| !old_keys.contains_key(&entry.key)) {
        path.push(&entry.key);
        diff(path, None, Some(&entry.node), changes);
        path.pop();
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing changed");
        }
        for (index, change) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_part, &self.before, &self.after) {
            (true, None, _) => return write!(f, "{}: added", self.field),
            (true, _, None) => return write!(f, "{}: removed", self.field),
            _ => {}
        }
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(default)".to_owned());
        write!(f, "{}: {} -> {}", self.field, shown(&self.before), shown(&self.after))
    }
}

impl PolicyFile {
    /// The file as the tree that it is written from, with a table for each section.
    fn written(&self) -> Node {
        let sections = self.sections().into_iter();
        Node::written(Value::table(sections.map(|(section, parts)| (section.to_owned(), Value::table(parts)))))
    }
}
