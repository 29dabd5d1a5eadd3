//! Builds the published crates with the lowest versions that their manifests accept, and writes
//! `docs/minimal-versions.md`: the requirements that were built.
//!
//! The build takes minutes and downloads old versions, so `ci` only compares the page with the
//! manifests: a requirement that differs has not been built. The crates of the workspace are locked
//! together, so a requirement is also wrong if another dependency asks for more; those in `APART`
//! are locked one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{DependencyKind, Package};

use crate::command;
use crate::workspace::{self, Workspace};

const PAGE: &str = "docs/minimal-versions.md";

/// The crates whose dependencies ask for higher versions of what other crates use, too: only their
/// users need these.
const APART: &[&str] =
    &["redress-apalis", "redress-aws", "redress-llm", "redress-redis", "redress-sentry", "redress-sql"];

const HEAD: &str = "\
# Lowest versions

What the published crates ask of their dependencies. They build with the lowest version of each, which `cargo xtask
minimal-versions` verifies before it writes this page; `cargo xtask ci` fails when the page and the manifests differ.

| dependency | lowest version | of |
|---|---|---|
";

/// The subcommand: builds, then writes the page.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    build(workspace)?;
    fs::write(workspace.root().join(PAGE), page(workspace)?).with_context(|| format!("could not write {PAGE}"))?;
    println!("wrote {PAGE}");
    Ok(())
}

/// The step of `ci`.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let found = fs::read_to_string(workspace.root().join(PAGE)).with_context(|| format!("could not read {PAGE}"))?;
    if found != page(workspace)? {
        bail!("{PAGE} differs from the manifests: run `cargo xtask minimal-versions` and commit what it writes");
    }
    println!("the requirements in the manifests are those that were built");
    Ok(())
}

/// Locks and builds a copy of the published crates, and then of each in `APART` on top of it.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let folder = workspace.target().join("minimal-versions");
    let together = folder.join("workspace");
    let packages: Vec<&Package> = published(workspace).filter(|package| !is_apart(package)).collect();
    copy_workspace(workspace, &packages, &together, "crates/")?;
    lock_and_check(workspace, &folder, &together)?;
    for package in published(workspace).filter(|package| is_apart(package)) {
        let alone = folder.join(package.name.as_str());
        copy_workspace(workspace, &[package], &alone, "../workspace/crates/")?;
        lock_and_check(workspace, &folder, &alone)?;
    }
    Ok(())
}

/// Locking needs an unstable option of cargo, which `RUSTC_BOOTSTRAP` unlocks; the build does
/// without, since build scripts act on the variable.
fn lock_and_check(workspace: &Workspace, folder: &Path, copy: &Path) -> Result<()> {
    let lock = ["generate-lockfile", "-Zdirect-minimal-versions"];
    command::run(command::cargo(workspace, &lock).current_dir(copy).env("RUSTC_BOOTSTRAP", "1"))
        .context("a lower bound is below what the other dependencies ask for, as said above: raise it")?;
    let target = folder.join("target").display().to_string();
    let check =
        ["check", "--locked", "--keep-going", "--workspace", "--lib", "--all-features", "--target-dir", &target];
    command::run(command::cargo(workspace, &check).current_dir(copy))
        .context("a lower bound lacks what the code uses: raise the one that the errors above name")
}

fn is_apart(package: &Package) -> bool {
    APART.contains(&package.name.as_str())
}

fn published(workspace: &Workspace) -> impl Iterator<Item = &Package> {
    workspace.libraries().filter(|package| workspace::is_published(package))
}

/// The folders of a crate that its sources include, where there are any.
const INCLUDED: [&str; 2] = ["scenarios", "schema"];

/// Copies the sources of these crates, without examples and development dependencies: these have
/// lower bounds that no user builds. The other crates of the workspace are in the folder `others`.
fn copy_workspace(workspace: &Workspace, packages: &[&Package], copy: &Path, others: &str) -> Result<()> {
    if copy.exists() {
        fs::remove_dir_all(copy).with_context(|| format!("could not clear {}", copy.display()))?;
    }
    for package in packages {
        let from = package.manifest_path.parent().context("a manifest is in a folder")?;
        let to = copy.join("crates").join(package.name.as_str());
        copy_folder(from.join("src").as_std_path(), &to.join("src"))?;
        for folder in INCLUDED.iter().filter(|folder| from.join(folder).is_dir()) {
            copy_folder(from.join(folder).as_std_path(), &to.join(folder))?;
        }
        copy_file(from.join("README.md").as_std_path(), &to.join("README.md"))?;
        let manifest = read(package.manifest_path.as_std_path())?;
        write(&to.join("Cargo.toml"), &without_apart(&without_dev_dependencies(&manifest)))?;
    }
    let manifest = read(&workspace.root().join("Cargo.toml"))?;
    write(&copy.join("Cargo.toml"), &with_all_members(&manifest, others))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("could not create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("could not list {}", from.display()))? {
        let path = entry.with_context(|| format!("could not list {}", from.display()))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() { copy_folder(&path, &target)? } else { copy_file(&path, &target)? }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("could not copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("could not write {}", path.display()))
}

fn without_dev_dependencies(manifest: &str) -> String {
    let mut is_dropped = false;
    let kept = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            is_dropped = line.contains("dev-dependencies") || line.starts_with("[[");
        }
        !is_dropped
    });
    kept.map(|line| format!("{line}\n")).collect()
}

/// Leaves out optional dependencies on crates in `APART`, the features that turn them on, and those
/// that turn these on.
fn without_apart(manifest: &str) -> String {
    let mut dropped: BTreeSet<&str> = APART.iter().copied().collect();
    let turns_on = |line: &str, name: &str| {
        [format!("\"dep:{name}\""), format!("\"{name}/"), format!("\"{name}\"")]
            .iter()
            .any(|value| line.contains(value))
    };
    loop {
        let further = manifest.lines().filter_map(|line| {
            let (name, _) = line.split_once(" = [")?;
            dropped.iter().any(|gone| turns_on(line, gone)).then_some(name)
        });
        let all: BTreeSet<&str> = dropped.iter().copied().chain(further).collect();
        if all.len() == dropped.len() {
            break;
        }
        dropped = all;
    }
    let is_dropped = |line: &&str| line.split_once(" = ").is_some_and(|(name, _)| dropped.contains(name));
    manifest.lines().filter(|line| !is_dropped(line)).map(|line| format!("{line}\n")).collect()
}

fn with_all_members(manifest: &str, others: &str) -> String {
    let lines =
        manifest.lines().map(|line| if line.starts_with("members = ") { "members = [\"crates/*\"]" } else { line });
    lines.map(|line| format!("{}\n", line.replace("path = \"crates/", &format!("path = \"{others}")))).collect()
}

fn page(workspace: &Workspace) -> Result<String> {
    let mut rows: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    for package in published(workspace) {
        let foreign = package.dependencies.iter().filter(|needed| needed.path.is_none());
        for needed in foreign.filter(|needed| needed.kind != DependencyKind::Development) {
            let lowest = needed.req.to_string().trim_start_matches('^').to_owned();
            rows.entry((needed.name.clone(), lowest)).or_default().insert(&package.name);
        }
    }
    let mut text = HEAD.to_owned();
    for ((name, lowest), crates) in rows {
        let crates: Vec<&str> = crates.into_iter().collect();
        writeln!(text, "| {name} | {lowest} | {} |", crates.join(", "))?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{with_all_members, without_apart, without_dev_dependencies};

    #[test]
    fn a_copied_manifest_has_no_development_dependencies() {
        let manifest = "[package]\nname = \"a\"\n[dev-dependencies]\n# why\nb = \"1\"\n[target.'cfg(loom)'.dev-dependencies]\n\
                        loom = \"1\"\n[lints]\nworkspace = true\n";
        assert_eq!(without_dev_dependencies(manifest), "[package]\nname = \"a\"\n[lints]\nworkspace = true\n");
    }

    #[test]
    fn the_copied_workspace_has_the_copied_crates() {
        let manifest =
            "[workspace]\nmembers = [\"crates/redress*\", \"xtask\"]\nredress = { path = \"crates/redress\" }\n";
        let together = "[workspace]\nmembers = [\"crates/*\"]\nredress = { path = \"crates/redress\" }\n";
        assert_eq!(with_all_members(manifest, "crates/"), together);
        let alone = "[workspace]\nmembers = [\"crates/*\"]\nredress = { path = \"../others/redress\" }\n";
        assert_eq!(with_all_members(manifest, "../others/"), alone);
    }

    #[test]
    fn crates_that_are_built_apart_are_left_out_of_others() {
        let manifest = "[features]\naws = [\"dep:redress-aws\", \"http\"]\nhttp = []\n[dependencies]\n\
                        redress-aws = { workspace = true, optional = true }\nredress-core.workspace = true\n";
        let left = "[features]\nhttp = []\n[dependencies]\nredress-core.workspace = true\n";
        assert_eq!(without_apart(manifest), left);
    }
}
