//! Builds the documentation, and checks the pictures in it. Broken links and warnings are errors.
//!
//! The examples in the documentation are run by `suite`, and the pictures are made by
//! `redress-pictures`.

use std::env;

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

const PICTURES: &str = "redress-pictures";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Writes the pictures of the README and the guide, and builds nothing else.
    #[arg(long)]
    pictures: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.pictures { draw(workspace, &[]) } else { check(workspace) }
}

/// The step of `ci`.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let flags = match env::var("RUSTDOCFLAGS") {
        Ok(given) if !given.is_empty() => format!("{given} -D warnings"),
        _ => "-D warnings".to_owned(),
    };
    command::run(
        command::cargo(workspace, &["doc", "--workspace", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", flags),
    )?;
    draw(workspace, &["--check"])
}

fn draw(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    command::run(command::cargo(workspace, &["run", "--quiet", "--package", PICTURES, "--"]).args(arguments))
}
