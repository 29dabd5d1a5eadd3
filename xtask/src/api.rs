//! Writes `docs/api`: the public API of each published crate, one item a line, so that a change of
//! the API shows in review.
//!
//! `items` reads what rustdoc lists, `listing` turns it into files, and `external` checks which
//! foreign crates they name.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::docs;
use crate::workspace::{self, Workspace};

use self::items::Items;

mod external;
mod items;
mod listing;

const FOLDER: &str = "docs/api";

/// The lines of a difference that are shown. All of them are in the diff that `--write` leaves.
const SHOWN: usize = 20;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rewrites the files; without it, fails if they are out of date.
    #[arg(long)]
    write: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.write { write(workspace) } else { check(workspace) }
}

/// The step `api` of `ci`.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let texts = match listings(workspace)? {
        Ok(texts) => texts,
        Err(why) => {
            println!("not run: {why}");
            return Ok(());
        }
    };
    let mut changed = 0;
    for (name, text) in &texts {
        let found = fs::read_to_string(workspace.root().join(path(name))).unwrap_or_default();
        if found != *text {
            report(name, &found, text);
            changed += 1;
        }
    }
    if changed > 0 {
        bail!("{changed} public API(s) differ from {FOLDER}: run `cargo xtask api --write` and commit what it writes");
    }
    println!("the public APIs of {} crates are those in {FOLDER}", texts.len());
    Ok(())
}

/// The step `external-types` of `ci`. Reads the committed files.
pub(crate) fn check_external(workspace: &Workspace) -> Result<()> {
    external::check(workspace)
}

fn write(workspace: &Workspace) -> Result<()> {
    let texts = match listings(workspace)? {
        Ok(texts) => texts,
        Err(why) => bail!("the files cannot be written: {why}"),
    };
    for (name, text) in &texts {
        let path = path(name);
        fs::write(workspace.root().join(&path), text).with_context(|| format!("could not write {path}"))?;
    }
    println!("wrote {} files in {FOLDER}", texts.len());
    Ok(())
}

/// The text for each published crate, or why this toolchain cannot say.
fn listings(workspace: &Workspace) -> Result<Result<Vec<(String, String)>, String>> {
    docs::check(workspace)?;
    let mut texts = Vec::new();
    for name in published(workspace) {
        match items::read(workspace, name)? {
            Items::Listed(items) => texts.push((name.to_owned(), listing::text(name, &items))),
            Items::OtherFormat(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(texts))
}

fn published(workspace: &Workspace) -> impl Iterator<Item = &str> {
    workspace.libraries().filter(|package| workspace::is_published(package)).map(|package| package.name.as_str())
}

fn path(name: &str) -> String {
    format!("{FOLDER}/{name}.txt")
}

fn report(name: &str, found: &str, text: &str) {
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (found.lines().collect(), text.lines().collect());
    println!("{}:", path(name));
    let gone = old.difference(&new).map(|line| format!("  - {line}"));
    let come = new.difference(&old).map(|line| format!("  + {line}"));
    let lines: Vec<String> = gone.chain(come).collect();
    lines.iter().take(SHOWN).for_each(|line| println!("{line}"));
    match lines.len() {
        0 => println!("  the same items in another order"),
        count if count > SHOWN => println!("  and {} more", count - SHOWN),
        _ => {}
    }
}
