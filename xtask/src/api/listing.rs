//! The file for a crate: its items as declarations with full paths, sorted by path.
//!
//! Leaves out what a reader knows or cannot use: the methods of implementations of the standard
//! library's traits, and implementations that macros and the compiler add for themselves.

use std::collections::HashSet;

use public_api::PublicApi;

/// Crates whose traits a reader knows.
const STANDARD: &[&str] = &["alloc::", "core::", "std::"];

/// Parts of implementations that no code relies on.
const INTERNAL: &[&str] = &["StructuralPartialEq", "::__private::"];

pub(super) fn text(name: &str, api: &PublicApi) -> String {
    let declared: Vec<_> = api.items().map(|item| (item, item.to_string())).collect();
    let standard: HashSet<_> =
        declared.iter().filter(|(_, text)| is_standard_impl(text)).map(|(item, _)| item.id()).collect();
    let mut text = format!(
        "# The public API of {name} with all features, without blanket and auto trait implementations, and\n\
         # without the methods of traits of the standard library. Written by `cargo xtask api --write`.\n"
    );
    let mut seen = HashSet::new();
    for (item, declaration) in &declared {
        let is_known = declaration.contains("fn ") && item.parent_id().is_some_and(|parent| standard.contains(&parent));
        // An implementation is an item of its trait and of its type.
        let is_new = seen.insert(declaration);
        if is_new && !is_known && !is_internal(declaration) {
            text += declaration;
            text.push('\n');
        }
    }
    text
}

fn is_standard_impl(declaration: &str) -> bool {
    implemented(declaration).is_some_and(|name| STANDARD.iter().any(|standard| name.starts_with(standard)))
}

fn is_internal(declaration: &str) -> bool {
    implemented(declaration).is_some() && INTERNAL.iter().any(|part| declaration.contains(part))
}

/// What follows the generic parameters of a trait implementation.
fn implemented(declaration: &str) -> Option<&str> {
    let after = declaration.strip_prefix("impl")?;
    let name = if after.starts_with('<') { &after[parameters(after)..] } else { after };
    name.contains(" for ").then(|| name.trim_start())
}

/// The length of the list in angle brackets at the start. The arrow of a function type closes
/// nothing.
fn parameters(text: &str) -> usize {
    let mut depth = 0;
    let mut before = ' ';
    for (index, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
        before = c;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{implemented, is_internal, is_standard_impl};

    #[test]
    fn the_trait_follows_the_parameters() {
        assert_eq!(implemented("impl core::clone::Clone for a::B"), Some("core::clone::Clone for a::B"));
        let bounded = "impl<F: core::ops::Fn(u8) -> core::option::Option<u8>, T> a::C<T> for F";
        assert_eq!(implemented(bounded), Some("a::C<T> for F"));
        assert_eq!(implemented("impl<T> a::B<T>"), None);
        assert_eq!(implemented("pub fn a::b()"), None);
    }

    #[test]
    fn what_a_reader_knows_is_told_from_the_rest() {
        assert!(is_standard_impl("impl<T: a::B> core::fmt::Debug for a::C<T>"));
        assert!(!is_standard_impl("impl<T: core::fmt::Debug> a::B for T"));
        assert!(is_internal("impl core::marker::StructuralPartialEq for a::B"));
        assert!(!is_internal("impl core::cmp::PartialEq for a::B"));
    }
}
