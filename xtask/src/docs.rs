//! Builds the documentation. Broken links and warnings are errors.
//!
//! The examples in the documentation are run by `suite`.

use std::env;

use anyhow::Result;

use crate::command;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let flags = match env::var("RUSTDOCFLAGS") {
        Ok(given) if !given.is_empty() => format!("{given} -D warnings"),
        _ => "-D warnings".to_owned(),
    };
    command::run(
        command::cargo(workspace, &["doc", "--workspace", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", flags),
    )
}
