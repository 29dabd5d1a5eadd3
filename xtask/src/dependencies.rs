//! Writes `docs/dependencies.md`: the crates that the facade compiles, alone and with each feature,
//! and their number.
//!
//! Counts what cargo resolves with the committed lock file for one platform, so that every machine
//! writes the same page.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::command;
use crate::workspace::Workspace;

const PAGE: &str = "docs/dependencies.md";
const FACADE: &str = "redress";

/// The platform to count for. Others differ by a few crates that call the system.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

const HEAD: &str = "\
# What is compiled

How many crates a build of `redress` compiles, with the facade and the crates of redress among them, and with macros and build
scripts. Written by `cargo xtask dependencies`; `cargo xtask ci` fails when it is out of date. Versions are those of the lock
file, the platform is Linux on x86-64.

| features | crates | more than without | of which redress's own |
|---|--:|--:|--:|
";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fails if the page is out of date; writes nothing.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.check { check(workspace) } else { write(workspace) }
}

/// The step of `ci`.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let path = workspace.root().join(PAGE);
    let found = fs::read_to_string(&path).with_context(|| format!("could not read {PAGE}"))?;
    if found != page(workspace)? {
        bail!("{PAGE} is out of date: run `cargo xtask dependencies` and commit what it writes");
    }
    println!("{PAGE} is up to date");
    Ok(())
}

fn write(workspace: &Workspace) -> Result<()> {
    fs::write(workspace.root().join(PAGE), page(workspace)?).with_context(|| format!("could not write {PAGE}"))?;
    println!("wrote {PAGE}");
    Ok(())
}

fn page(workspace: &Workspace) -> Result<String> {
    let alone = compiled(workspace, "")?;
    let mut text = HEAD.to_owned();
    writeln!(text, "| none (the default) | {} | | {} |", alone.len(), own(&alone).count())?;
    let mut lists = String::new();
    for feature in features(workspace)? {
        let crates = compiled(workspace, &feature)?;
        let more: BTreeSet<String> = crates.difference(&alone).cloned().collect();
        writeln!(text, "| `{feature}` | {} | {} | {} |", crates.len(), more.len(), own(&more).count())?;
        let names: Vec<&str> = more.iter().map(String::as_str).collect();
        writeln!(lists, "\n## `{feature}`\n\n{}", wrapped(&names))?;
    }
    let names: Vec<&str> = alone.iter().map(String::as_str).collect();
    writeln!(text, "\n## None\n\n{}", wrapped(&names))?;
    Ok(text + &lists)
}

/// The facade's features except `default`, sorted by name.
fn features(workspace: &Workspace) -> Result<Vec<String>> {
    let facade = workspace.members().iter().find(|package| package.name == FACADE);
    let facade = facade.with_context(|| format!("there is no crate `{FACADE}` in this workspace"))?;
    Ok(facade.features.keys().filter(|name| *name != "default").cloned().collect())
}

/// Name and version of every crate that a user's build compiles.
fn compiled(workspace: &Workspace, features: &str) -> Result<BTreeSet<String>> {
    let arguments = [
        "tree",
        "--package",
        FACADE,
        "--locked",
        "--no-default-features",
        "--features",
        features,
        "--edges",
        "normal,build",
        "--target",
        PLATFORM,
        "--prefix",
        "none",
        "--format",
        "{p}",
    ];
    let listed = command::answer(&mut command::cargo(workspace, &arguments))
        .with_context(|| format!("`cargo {}` fails: run it and see", arguments.join(" ")))?;
    Ok(listed.lines().filter_map(named).collect())
}

/// Turns `name v1.2.3 (path)` into `name 1.2.3`, and a member of the workspace into its name alone.
fn named(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let (name, version) = (words.next()?, words.next()?.trim_start_matches('v'));
    Some(if name.starts_with(FACADE) { name.to_owned() } else { format!("{name} {version}") })
}

fn own(crates: &BTreeSet<String>) -> impl Iterator<Item = &String> {
    crates.iter().filter(|name| name.starts_with(FACADE))
}

/// Breaks the list into lines of a readable length.
fn wrapped(names: &[&str]) -> String {
    let mut text = String::new();
    let mut width = 0;
    for (index, name) in names.iter().enumerate() {
        let separator = match index {
            0 => "",
            _ if width + name.len() > 115 => ",\n",
            _ => ", ",
        };
        width = if separator == ", " { width + name.len() + 2 } else { name.len() };
        text += separator;
        text += name;
    }
    text + "."
}

#[cfg(test)]
mod tests {
    use super::{named, wrapped};

    #[test]
    fn a_crate_is_named_with_its_version_and_a_member_without() {
        assert_eq!(named("http v1.4.0").as_deref(), Some("http 1.4.0"));
        assert_eq!(named("thiserror-impl v2.0.1 (proc-macro)").as_deref(), Some("thiserror-impl 2.0.1"));
        assert_eq!(named("redress-core v0.1.0 (/somewhere)").as_deref(), Some("redress-core"));
        assert_eq!(named(""), None);
    }

    #[test]
    fn lists_are_broken_between_names() {
        assert_eq!(wrapped(&["a", "b"]), "a, b.");
        let long = "n".repeat(80);
        assert_eq!(wrapped(&[&long, &long, "b"]), format!("{long},\n{long}, b."));
    }
}
