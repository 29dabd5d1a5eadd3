//! Checks the declared `rust-version`: no dependency that users build declares a newer one, and the
//! libraries compile with it.
//!
//! Where that toolchain is not installed, clippy's `incompatible_msrv`, a lint of the workspace,
//! remains: it knows the version that each item of the standard library is stable since.

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use semver::Version;

use crate::command;
use crate::workspace::{self, Workspace};

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    check_dependencies(workspace)?;
    let Some(oldest) = published(workspace).filter_map(|package| package.rust_version.as_ref()).min() else {
        bail!("no published crate declares a `rust-version`: `cargo xtask tidy` names them");
    };
    match installed(workspace, oldest) {
        Some(toolchain) => compile(workspace, &toolchain),
        None => {
            let version = short(oldest);
            println!("not run: no toolchain {version} (rustup toolchain install {version})");
            Ok(())
        }
    }
}

fn published(workspace: &Workspace) -> impl Iterator<Item = &Package> {
    workspace.libraries().filter(|package| workspace::is_published(package))
}

/// Uses its own folder in the target directory: another compiler shares no artifact.
fn compile(workspace: &Workspace, toolchain: &str) -> Result<()> {
    let target = workspace.target().join("msrv").display().to_string();
    let mut arguments = vec!["run", toolchain, "cargo", "check", "--locked", "--lib", "--all-features"];
    arguments.extend(["--target-dir", &target]);
    arguments.extend(published(workspace).flat_map(|package| ["--package", package.name.as_str()]));
    command::run(command::program(workspace, "rustup").args(arguments))
}

/// The toolchain of that minor version that rustup has.
fn installed(workspace: &Workspace, wanted: &Version) -> Option<String> {
    let listed = command::answer(command::program(workspace, "rustup").args(["toolchain", "list"]))?;
    listed
        .lines()
        .find(|line| is_version(line, wanted))
        .and_then(|line| line.split_whitespace().next())
        .map(str::to_owned)
}

/// Whether a toolchain such as `1.85-x86_64-unknown-linux-gnu` or `1.85.1-..` is of that version.
fn is_version(toolchain: &str, wanted: &Version) -> bool {
    let version = toolchain.split(['-', ' ']).next().unwrap_or_default();
    version == short(wanted)
        || Version::parse(version).is_ok_and(|it| (it.major, it.minor) == (wanted.major, wanted.minor))
}

fn short(version: &Version) -> String {
    format!("{}.{}", version.major, version.minor)
}

/// Fails if the lock file holds a dependency that asks for a newer compiler than a crate that it is
/// built for. Covers every platform and feature.
fn check_dependencies(workspace: &Workspace) -> Result<()> {
    let metadata = MetadataCommand::new()
        .current_dir(workspace.root())
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked".to_owned()])
        .exec()
        .context("`cargo metadata --locked` failed: bring the lock file up to date")?;
    let mut newer = 0;
    for package in published(workspace) {
        for (needed, wanted) in too_new(&metadata, package) {
            println!("{}: {} {} needs Rust {wanted}", package.name, needed.name, needed.version);
            newer += 1;
        }
    }
    if newer > 0 {
        bail!("{newer} dependencies need a newer compiler than the `rust-version` above them: pin or raise one");
    }
    println!("no dependency of a published crate needs a newer compiler than the crate declares");
    Ok(())
}

fn too_new<'a>(metadata: &'a Metadata, package: &Package) -> Vec<(&'a Package, &'a Version)> {
    let Some(declared) = &package.rust_version else { return Vec::new() };
    let needed = built_for(metadata, &package.id).into_iter().map(|id| &metadata[&id]);
    needed
        .filter_map(|needed| Some((needed, needed.rust_version.as_ref()?)))
        .filter(|(_, wanted)| *wanted > declared)
        .collect()
}

/// The packages that a user of this one builds, itself included.
fn built_for(metadata: &Metadata, package: &PackageId) -> Vec<PackageId> {
    let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
    let mut found = vec![package.clone()];
    let mut next = 0;
    while let Some(id) = found.get(next) {
        let node = nodes.iter().find(|node| node.id == *id);
        let needed = node.into_iter().flat_map(|node| &node.deps);
        let built =
            needed.filter(|needed| needed.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development));
        let new: Vec<PackageId> = built.map(|needed| needed.pkg.clone()).filter(|id| !found.contains(id)).collect();
        found.extend(new);
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::is_version;

    #[test]
    fn a_toolchain_is_found_by_its_minor_version() {
        let wanted = Version::new(1, 85, 0);
        assert!(is_version("1.85-x86_64-unknown-linux-gnu (default)", &wanted));
        assert!(is_version("1.85.1-aarch64-apple-darwin", &wanted));
        assert!(!is_version("1.95.0-x86_64-unknown-linux-gnu", &wanted));
        assert!(!is_version("stable-x86_64-unknown-linux-gnu (active)", &wanted));
    }
}
