//! Runs the tests of the crates that talk to real servers: PostgreSQL, MariaDB, Redis, moto, and
//! the drivers of ODBC. The packages outside the workspace are among them.
//!
//! Installs what is missing where it may, and otherwise fails with the names of all that is
//! missing. Runs each executable whole, so that its tests share a server.

mod install;

use std::ffi::OsStr;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::camino::Utf8PathBuf;
use cargo_metadata::{Message, Package, PackageId};

use crate::command;
use crate::outside;
pub(crate) use crate::servers::install::provide;
use crate::workspace::{NEED_SERVERS, Workspace};

/// The step of `ci`. Builds the tests of every crate, as the step `tests` does: with a smaller
/// selection cargo would build the dependencies once more, with fewer features.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let path = provide(workspace)?;
    let members = workspace.members().iter().filter(|package| NEED_SERVERS.contains(&package.name.as_str()));
    let mut build = command::cargo(workspace, &["test", "--workspace", "--all-features"]);
    let mut built = build_tests(&mut build, &members.collect::<Vec<_>>())?;
    for package in outside::packages(workspace)? {
        let mut build = outside::cargo(workspace, &package, &["test"]);
        let of_package = build_tests(&mut build, &[&package]);
        let context = || format!("the lock file of {} may be older than the manifests", package.name);
        built.extend(of_package.with_context(context)?);
    }
    built.iter().try_for_each(|executable| executable.run(workspace, &path))
}

/// Builds what this `cargo test` would run, and returns the tests of these packages.
fn build_tests(test: &mut Command, packages: &[&Package]) -> Result<Vec<Executable>> {
    test.args(["--no-run", "--message-format", "json-render-diagnostics"]);
    let ids: Vec<&PackageId> = packages.iter().map(|package| &package.id).collect();
    let built = executables(&command::run_reading(test)?, &ids)?;
    let names = || packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>().join(", ");
    ensure!(!built.is_empty(), "cargo has built no tests of {}", names());
    Ok(built)
}

/// The executable of a test target.
#[derive(Debug, PartialEq, Eq)]
struct Executable {
    program: Utf8PathBuf,
    /// The package's folder, where cargo runs its tests.
    folder: Utf8PathBuf,
}

impl Executable {
    fn run(&self, workspace: &Workspace, path: &OsStr) -> Result<()> {
        let mut program = command::program(workspace, self.program.as_str());
        command::run(program.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder).env("PATH", path))
    }
}

/// The test executables of these packages, from cargo's messages.
fn executables(messages: &str, packages: &[&PackageId]) -> Result<Vec<Executable>> {
    let mut found = Vec::new();
    for message in Message::parse_stream(messages.as_bytes()) {
        let Message::CompilerArtifact(artifact) = message.context("could not read cargo's messages")? else {
            continue;
        };
        let is_asked_for = artifact.profile.test && packages.contains(&&artifact.package_id);
        if let (true, Some(program), Some(folder)) =
            (is_asked_for, artifact.executable, artifact.manifest_path.parent())
        {
            found.push(Executable { program, folder: folder.to_owned() });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use cargo_metadata::PackageId;

    use super::{Executable, executables};

    fn artifact(package: &str, is_test: bool, executable: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"{package}","manifest_path":"/w/{package}/Cargo.toml",
            "target":{{"kind":["test"],"crate_types":["bin"],"name":"it","src_path":"/w/it.rs","edition":"2024","doc":false,"doctest":false,"test":true}},
            "profile":{{"opt_level":"0","debuginfo":1,"debug_assertions":true,"overflow_checks":true,"test":{is_test}}},
            "features":[],"filenames":[],"executable":{executable},"fresh":true}}"#
        )
        .replace('\n', " ")
    }

    #[test]
    fn the_executables_are_the_tests_of_the_packages() {
        let messages = [
            artifact("servers", true, r#""/t/servers-1""#),
            artifact("servers", false, r#""/t/example""#),
            artifact("servers", true, "null"),
            artifact("core", true, r#""/t/core-1""#),
        ];
        let packages = [&PackageId { repr: "servers".to_owned() }];
        let expected = [Executable { program: "/t/servers-1".into(), folder: "/w/servers".into() }];
        assert_eq!(executables(&messages.join("\n"), &packages).expect("messages"), expected);
    }
}
