//! The quick check during work on a change: house rules, formatting, clippy, and the tests of the
//! changed crates.
//!
//! Clippy also compiles the crates that depend on those; `ci` tests them.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};

use crate::workspace::{NEED_SERVERS, Workspace};
use crate::{command, lint, servers, suite, tidy};

/// Without a revision, checks the uncommitted changes, or the last commit if there are none.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Checks the changes since this revision.
    #[arg(long)]
    since: Option<String>,
}

/// Text outside a crate's folder that the crate compiles.
const COMPILED_ELSEWHERE: &[(&str, &str)] = &[("docs/guide/", "redress-guide"), ("README.md", "redress")];

/// A change to one of these files counts as a change to every crate.
const EVERYTHING: &[&str] = &["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".config/nextest.toml"];

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let changed = changed_files(workspace, args.since.as_deref())?;
    let touched = touched(&manifests(workspace), &changed);
    tidy::run(workspace)?;
    lint::format(workspace)?;
    lint::clippy_together(workspace)?;
    let Touched::Packages(mut names) = touched else {
        suite::tests(workspace)?;
        println!("not run: {}; `cargo xtask servers` tests them with real servers", NEED_SERVERS.join(", "));
        return Ok(());
    };
    if names.is_empty() {
        println!("no crate has changed: there are no tests to run");
    }
    let changed = names.len();
    names.retain(|name| !NEED_SERVERS.contains(&name.as_str()));
    if !names.is_empty() {
        suite::tests_of(workspace, &names)?;
    }
    if names.len() < changed {
        println!("the tests of {} need real servers: `cargo xtask servers` runs them alone", NEED_SERVERS.join(", "));
        servers::run(workspace)?;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Touched {
    Everything,
    Packages(BTreeSet<String>),
}

/// Each member's name and its folder, as a path from the root.
fn manifests(workspace: &Workspace) -> Vec<(String, Utf8PathBuf)> {
    let folder = |path: &Utf8Path| path.strip_prefix(workspace.root()).ok()?.parent().map(Utf8Path::to_owned);
    let members = workspace.members().iter();
    members.filter_map(|package| Some((package.name.to_string(), folder(&package.manifest_path)?))).collect()
}

fn touched(members: &[(String, Utf8PathBuf)], changed: &[String]) -> Touched {
    if changed.iter().any(|file| EVERYTHING.contains(&file.as_str())) {
        return Touched::Everything;
    }
    Touched::Packages(changed.iter().filter_map(|file| owner(members, file)).map(str::to_owned).collect())
}

fn owner<'a>(members: &'a [(String, Utf8PathBuf)], file: &str) -> Option<&'a str> {
    let elsewhere = COMPILED_ELSEWHERE.iter().find(|(place, _)| file.starts_with(place));
    let owns = |(_, folder): &&(String, Utf8PathBuf)| Utf8Path::new(file).starts_with(folder);
    elsewhere.map(|&(_, package)| package).or_else(|| members.iter().find(owns).map(|(name, _)| name.as_str()))
}

fn changed_files(workspace: &Workspace, since: Option<&str>) -> Result<Vec<String>> {
    if let Some(since) = since {
        return differing(workspace, since);
    }
    let uncommitted = differing(workspace, "HEAD")?;
    if uncommitted.is_empty() { differing(workspace, "HEAD~1") } else { Ok(uncommitted) }
}

/// The files that differ from a revision, including untracked ones.
fn differing(workspace: &Workspace, revision: &str) -> Result<Vec<String>> {
    let git = |arguments: &[&str]| {
        let mut command = command::program(workspace, "git");
        command::answer(command.args(arguments))
    };
    let Some(tracked) = git(&["diff", "--name-only", revision, "--"]) else {
        bail!("git cannot list the changes since `{revision}`: name a revision it knows with --since");
    };
    let untracked = git(&["ls-files", "--others", "--exclude-standard"]).unwrap_or_default();
    Ok(tracked.lines().chain(untracked.lines()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::{Touched, touched};

    fn touched_by(files: &[&str]) -> Touched {
        let members = [("redress-core", "crates/redress-core"), ("redress-guide", "crates/internal/guide")];
        let members: Vec<_> = members.iter().map(|&(name, folder)| (name.to_owned(), folder.into())).collect();
        touched(&members, &files.iter().map(|&file| file.to_owned()).collect::<Vec<_>>())
    }

    fn packages(names: &[&str]) -> Touched {
        Touched::Packages(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn a_file_belongs_to_the_crate_of_its_folder() {
        let files = ["crates/redress-core/src/lib.rs", "crates/redress-core/Cargo.toml", "crates/redress-corex/a.rs"];
        assert_eq!(touched_by(&files), packages(&["redress-core"]));
    }

    #[test]
    fn a_guide_page_belongs_to_the_crate_that_compiles_it() {
        assert_eq!(touched_by(&["docs/guide/grpc.md", "docs/reliability.md"]), packages(&["redress-guide"]));
    }

    #[test]
    fn the_lock_file_belongs_to_all() {
        assert_eq!(touched_by(&["Cargo.lock", "crates/redress-core/src/lib.rs"]), Touched::Everything);
    }
}
