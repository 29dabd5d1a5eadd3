//! Builds the documentation, or draws the pictures in it. Broken links and warnings are errors.
//!
//! Also lists the items of each library, for the step `api`. `redress-pictures` makes the pictures;
//! its tests check them, and `suite` runs the examples in the documentation.

use std::env;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{command, rustdoc};

const PICTURES: &str = "redress-pictures";

/// One example beside the libraries. With it cargo enables the features that dev-dependencies ask
/// for, as the step `clippy` does, and so reuses its dependencies: 134 fewer to check.
const WITH_DEV_DEPENDENCIES: [&str; 2] = ["--example", "quickstart"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Writes the pictures of the README and the guide, and builds nothing else.
    #[arg(long)]
    pictures: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.pictures { draw(workspace) } else { check(workspace) }
}

/// The step of `ci`.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let flags = match env::var("RUSTDOCFLAGS") {
        Ok(given) if !given.is_empty() => format!("{given} -D warnings"),
        _ => "-D warnings".to_owned(),
    };
    let libraries = ["doc", "--workspace", "--no-deps", "--all-features", "--lib"];
    let programs: Vec<&str> = programs(workspace).flat_map(|program| ["--bin", program]).collect();
    let mut cargo_doc = command::cargo(workspace, &[&libraries, &programs[..], &WITH_DEV_DEPENDENCIES].concat());
    command::run(rustdoc::prepare(workspace, &mut cargo_doc, &flags)?)
}

/// The programs that have pages. `--bins` would select those without pages too.
fn programs(workspace: &Workspace) -> impl Iterator<Item = &str> {
    let targets = workspace.members().iter().flat_map(|package| &package.targets);
    targets.filter(|target| target.is_bin() && target.doc).map(|target| target.name.as_str())
}

fn draw(workspace: &Workspace) -> Result<()> {
    command::run(&mut command::cargo(workspace, &["run", "--quiet", "--package", PICTURES]))
}
