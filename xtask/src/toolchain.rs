//! Checks that the toolchain has the components the other steps need, and installs them with rustup
//! if possible.
//!
//! The version of the toolchain is set by `rust-version` in the manifests.

use anyhow::{Context as _, Result};

use crate::command;
use crate::workspace::Workspace;

struct Component {
    name: &'static str,
    probe: &'static [&'static str],
}

const COMPONENTS: &[Component] = &[
    Component { name: "rustfmt", probe: &["fmt", "--version"] },
    Component { name: "clippy", probe: &["clippy", "--version"] },
];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    for component in COMPONENTS {
        let version = match probe(workspace, component) {
            Some(version) => version,
            None => add(workspace, component)?,
        };
        println!("{}: {}", component.name, version.trim());
    }
    Ok(())
}

fn probe(workspace: &Workspace, component: &Component) -> Option<String> {
    command::answer(&mut command::cargo(workspace, component.probe))
}

fn add(workspace: &Workspace, component: &Component) -> Result<String> {
    let missing = || {
        format!(
            "the toolchain has no {0}: run `rustup component add {0}`, or install it the way the toolchain was installed",
            component.name
        )
    };
    command::run(command::program(workspace, "rustup").args(["component", "add", component.name]))
        .with_context(missing)?;
    probe(workspace, component).with_context(missing)
}
