//! Checks the foreign crates whose types are in a public API: a new major version of one is a new
//! major version of the crate that shows it.
//!
//! Reads the committed files, and the table of `docs/api/README.md` with the reason for each. Every
//! crate needs a row, and every row a crate.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, bail};

use super::{FOLDER, path, published};
use crate::workspace::Workspace;

/// They come with the compiler.
const STANDARD: &[&str] = &["alloc", "core", "std"];

pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let page = format!("{FOLDER}/README.md");
    let text = fs::read_to_string(workspace.root().join(&page)).with_context(|| format!("could not read {page}"))?;
    let listed = rows(&text);
    let own: BTreeSet<String> = workspace.members().iter().map(|member| member.name.replace('-', "_")).collect();
    let mut shown = BTreeSet::new();
    for name in published(workspace) {
        let file = path(name);
        let api = fs::read_to_string(workspace.root().join(&file))
            .with_context(|| format!("could not read {file}: `cargo xtask api --write` writes it"))?;
        let foreign = api.lines().flat_map(crates).filter(|it| !own.contains(*it) && !STANDARD.contains(it));
        shown.extend(foreign.map(|it| (name.to_owned(), it.to_owned())));
    }
    for (name, foreign) in shown.difference(&listed) {
        println!("{page}: no row says why the API of {name} shows types of `{foreign}`");
    }
    for (name, foreign) in listed.difference(&shown) {
        println!("{page}: the API of {name} shows no type of `{foreign}`: drop the row");
    }
    if listed != shown {
        bail!("the foreign crates in public APIs are not those that {page} justifies");
    }
    println!("{} uses of foreign crates in public APIs are justified", shown.len());
    Ok(())
}

/// The first two columns of the table, in rows that have a third one.
fn rows(page: &str) -> BTreeSet<(String, String)> {
    page.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ").map(|cell| cell.trim_matches('`').to_owned());
            let row = (cells.next()?, cells.next()?);
            let has_reason = cells.next().is_some_and(|reason| reason.len() > 2);
            (row.0.starts_with("redress") && has_reason).then_some(row)
        })
        .collect()
}

/// The crates that start the paths in a declaration.
fn crates(declaration: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    declaration.match_indices("::").filter_map(move |(end, _)| {
        let before = &declaration[..end];
        let name = &before[before.rfind(|c| !is_name(c)).map_or(0, |last| last + 1)..];
        let is_first = !before[..before.len() - name.len()].ends_with(':');
        (is_first && name.starts_with(|c: char| c.is_ascii_lowercase())).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::{crates, rows};

    #[test]
    fn a_path_starts_with_its_crate() {
        let declaration = "pub fn a::B<T>::c(&self, &http::Uri) -> <T as tower_service::Service<u8>>::Error where T::Item: core::fmt::Debug";
        assert_eq!(crates(declaration).collect::<Vec<_>>(), ["a", "http", "tower_service", "core"]);
    }

    #[test]
    fn a_row_needs_a_reason() {
        let page =
            "| crate | types of | why |\n|---|---|---|\n| redress-http | `http` | its types |\n| redress-x | `y` | |\n";
        let listed: Vec<_> = rows(page).into_iter().collect();
        assert_eq!(listed, [("redress-http".to_owned(), "http".to_owned())]);
    }
}
