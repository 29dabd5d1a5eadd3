//! Finds the programs that a step needs beside the toolchain, or builds them once into the target
//! directory.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use semver::Version;

use crate::command;
use crate::workspace::Workspace;

/// A program that is a cargo package and can print its version.
pub(crate) struct Tool {
    pub(crate) package: &'static str,
    /// The arguments that print its version.
    pub(crate) probe: &'static [&'static str],
    /// The oldest version that is good enough.
    pub(crate) oldest: Version,
    /// The version to build if none is installed. Pinned to a minor, so that a release with other
    /// behaviour is not picked up unnoticed.
    pub(crate) installed: &'static str,
    /// The consequence of not having it, for the error message.
    pub(crate) without: &'static str,
}

impl Tool {
    /// Finds the program, or builds it, and returns the name to start it by.
    pub(crate) fn get(&self, workspace: &Workspace) -> Result<String> {
        match self.find(workspace) {
            Some(found) => Ok(found),
            None => self.install(workspace),
        }
    }

    pub(crate) fn find(&self, workspace: &Workspace) -> Option<String> {
        let built = self.built(workspace).display().to_string();
        [self.package.to_owned(), built].into_iter().find(|name| self.is_recent(workspace, name))
    }

    fn is_recent(&self, workspace: &Workspace, name: &str) -> bool {
        command::answer(command::program(workspace, name).args(self.probe))
            .and_then(|answer| version_in(&answer))
            .is_some_and(|version| version >= self.oldest)
    }

    fn install(&self, workspace: &Workspace) -> Result<String> {
        let Self { package, oldest, installed, without, .. } = self;
        let root = tools(workspace);
        println!("no {package} {oldest} or newer: building one into {} (once)", root.display());
        command::run(
            command::cargo(workspace, &["install", package, "--locked", "--version", installed, "--root"]).arg(&root),
        )
        .with_context(|| format!("{package} could not be installed: {without}; put {package} on the PATH"))?;
        Ok(self.built(workspace).display().to_string())
    }

    fn built(&self, workspace: &Workspace) -> PathBuf {
        tools(workspace).join("bin").join(self.package)
    }
}

fn tools(workspace: &Workspace) -> PathBuf {
    workspace.target().join("tools")
}

fn version_in(answer: &str) -> Option<Version> {
    Version::parse(answer.split_whitespace().nth(1)?).ok()
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::version_in;

    #[test]
    fn reads_the_version_out_of_the_answer() {
        assert_eq!(version_in("cargo-deny 0.18.0\n"), Some(Version::new(0, 18, 0)));
        assert_eq!(version_in("cargo-deny"), None);
        assert_eq!(version_in("no such command: deny"), None);
    }
}
