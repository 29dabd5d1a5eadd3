//! Builds the documentation. Broken links and warnings are errors.
//!
//! Also lists the items of each library, for the step `api`. The examples in the documentation are
//! run by `suite`.

use std::env;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{command, rustdoc};

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let flags = match env::var("RUSTDOCFLAGS") {
        Ok(given) if !given.is_empty() => format!("{given} -D warnings"),
        _ => "-D warnings".to_owned(),
    };
    let mut cargo_doc = command::cargo(workspace, &["doc", "--workspace", "--no-deps", "--all-features"]);
    command::run(rustdoc::prepare(workspace, &mut cargo_doc, &flags)?)
}
