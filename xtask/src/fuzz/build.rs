//! Builds the fuzz targets with libFuzzer on a stable toolchain.
//!
//! No sanitizer is used, since no crate of the workspace has unsafe code. The profile `fuzz` keeps
//! assertions and overflow checks instead.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::PACKAGE;
use crate::command;
use crate::workspace::Workspace;

const PROFILE: &str = "fuzz";

/// Instrumentation that libFuzzer reads: counters on edges with their table, and compared values.
const INSTRUMENTATION: &[&str] = &[
    "--cfg fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // Folded branches would hide one condition behind another.
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// The built programs, and the folder for everything that fuzzing writes.
pub(super) struct Programs {
    root: PathBuf,
    host: String,
}

impl Programs {
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn program(&self, target: &str) -> PathBuf {
        self.root.join(&self.host).join(PROFILE).join(target)
    }
}

pub(super) fn build(workspace: &Workspace) -> Result<Programs> {
    needs_cpp(workspace)?;
    let programs = Programs { root: workspace.target().join("fuzz"), host: host(workspace)? };
    let mut flags = INSTRUMENTATION.join(" ");
    if let Ok(given) = env::var("RUSTFLAGS") {
        flags.push(' ');
        flags.push_str(&given);
    }
    // With a target named, build scripts and macros are built without the flags.
    let arguments = ["build", "--package", PACKAGE, "--bins", "--profile", PROFILE, "--target", &programs.host];
    let mut build = command::cargo(workspace, &arguments);
    build.arg("--target-dir").arg(&programs.root);
    build.env("RUSTFLAGS", flags).env_remove("CARGO_ENCODED_RUSTFLAGS");
    command::run(&mut build)?;
    Ok(programs)
}

/// libFuzzer is compiled from C++ sources, and the error of that build does not say how to fix it.
fn needs_cpp(workspace: &Workspace) -> Result<()> {
    let compiler = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    // `CXX` may also hold arguments.
    let program = compiler.split_whitespace().next().unwrap_or("c++");
    if command::answer(command::program(workspace, program).arg("--version")).is_none() {
        bail!(
            "no C++ compiler (`{program}`), which libFuzzer is built with: install g++ or clang++ (on Debian and its \
             like: apt-get install g++), or name one in the variable CXX"
        );
    }
    Ok(())
}

fn host(workspace: &Workspace) -> Result<String> {
    let version = command::answer(command::program(workspace, "rustc").arg("-vV"));
    let host = version.as_deref().and_then(|version| version.lines().find_map(|line| line.strip_prefix("host: ")));
    host.map(str::to_owned).context("`rustc -vV` does not say which host it is for: is rustc on the PATH?")
}
