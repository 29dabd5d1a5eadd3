//! The workspace as the tasks see it: its root, its target directory and its members, all from
//! `cargo metadata`.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cargo_metadata::{MetadataCommand, Package, TargetKind};

/// The members that link the manager of ODBC, or whose tests start a server. The step `servers`
/// tests them, after it has installed what they need; every other step that links leaves them out.
pub(crate) const NEED_SERVERS: &[&str] = &["redress-servers", "redress-sql"];

pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    members: Vec<Package>,
    /// Whether cargo keeps what it needs to build a crate again in parts.
    is_incremental: bool,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let metadata = MetadataCommand::new()
            .no_deps()
            .exec()
            .context("`cargo metadata` failed: run this inside the checkout, and fix the manifest it names")?;
        Ok(Self {
            root: metadata.workspace_root.clone().into_std_path_buf(),
            target: metadata.target_directory.clone().into_std_path_buf(),
            members: metadata.workspace_packages().into_iter().cloned().collect(),
            is_incremental: true,
        })
    }

    /// Builds without incremental state if none has been kept before. In a fresh clone nothing is
    /// built a second time, and the state costs time and several gigabytes.
    pub(crate) fn incremental_only_if_begun(mut self) -> Self {
        let kept = fs::read_dir(self.target.join("debug/incremental"));
        self.is_incremental = kept.is_ok_and(|entries| entries.flatten().any(|entry| is_state_of_a_library(&entry)));
        self
    }

    pub(crate) fn is_incremental(&self) -> bool {
        self.is_incremental
    }

    /// The folder for files of a task: untracked, and kept between runs.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn members(&self) -> &[Package] {
        &self.members
    }

    /// The members that are libraries.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = &Package> {
        self.members.iter().filter(|package| {
            package
                .targets
                .iter()
                .any(|target| target.is_kind(TargetKind::Lib) || target.is_kind(TargetKind::ProcMacro))
        })
    }
}

/// `cargo xtask` keeps the state of this program in any case.
fn is_state_of_a_library(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with("redress")
}

/// The arguments of cargo that select the members that need no server.
pub(crate) fn without_servers() -> Vec<&'static str> {
    ["--workspace"].into_iter().chain(NEED_SERVERS.iter().flat_map(|package| ["--exclude", package])).collect()
}

/// Cargo reports `publish = false` as an empty list of registries.
pub(crate) fn is_published(package: &Package) -> bool {
    package.publish.as_ref().is_none_or(|registries| !registries.is_empty())
}
