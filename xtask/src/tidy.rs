//! The house rules that no compiler checks, run over the tree and the manifests; all breaches are
//! reported at once.
//!
//! `rules` holds the lists of words. `source` checks text, `size` the length of files and
//! functions, `width` the width of comments, `lists` their list items, `links` the links between
//! pages, `manifest` packages, `invariants` the numbered invariants and their tests, `figures` the
//! figures in the README, and `original` the rows of the page for users of the Python library.

use std::fmt;
use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::outside;
use crate::workspace::Workspace;

use self::figures::Figures;
use self::invariants::Invariants;
use self::links::Links;
use self::original::Original;

mod figures;
mod invariants;
mod links;
mod lists;
mod manifest;
mod original;
mod rules;
mod size;
mod source;
mod tree;
mod width;

/// One breach of one rule, at a place.
struct Finding {
    place: String,
    breach: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.breach)
    }
}

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let files = tree::text_files(workspace)?;
    let mut findings = rules::stale_exceptions(workspace);
    let mut invariants = Invariants::default();
    let mut links = Links::default();
    let mut figures = Figures::default();
    let mut original = Original::default();
    for file in &files {
        let text = fs::read_to_string(workspace.root().join(file))
            .with_context(|| format!("could not read {file}: tracked text must be readable UTF-8"))?;
        findings.extend(source::check(file, &text));
        findings.extend(size::check(file, &text));
        findings.extend(width::check(file, &text));
        findings.extend(lists::check(file, &text));
        invariants.read(file, &text);
        links.read(file, &text);
        figures.read(file, &text);
        original.read(file, &text);
    }
    findings.extend(invariants.check());
    findings.extend(figures.check());
    findings.extend(original.check());
    findings.extend(links.check(workspace.root()));
    let outside = outside::packages(workspace)?;
    for package in workspace.members().iter().chain(&outside) {
        findings.extend(manifest::check(workspace, package)?);
    }
    for package in &outside {
        findings.extend(manifest::check_copies(workspace, package)?);
    }

    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} breach(es) of the house rules: each is named above", findings.len());
    }
    println!("{} files and {} manifests are tidy", files.len(), workspace.members().len() + outside.len());
    Ok(())
}
