//! The text files that the rules apply to: those written by hand, anywhere in the checkout.
//!
//! Paths are relative to the root and use `/` on every system.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;

const TEXT: &[&str] = &["md", "rs", "sh", "toml", "yaml", "yml"];

/// Folders whose names start with a dot are left out, except these.
const DOTTED: &[&str] = &[".cargo", ".ci", ".config", ".github"];

pub(super) fn text_files(workspace: &Workspace) -> Result<Vec<String>> {
    let mut files = Vec::new();
    visit(workspace, workspace.root(), &mut files)?;
    files.sort();
    Ok(files)
}

fn visit(workspace: &Workspace, folder: &Path, files: &mut Vec<String>) -> Result<()> {
    let unreadable = || format!("could not list {}: check its permissions", folder.display());
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let kind = entry.file_type().with_context(unreadable)?;
        let path = entry.path();
        if kind.is_dir() {
            if !is_generated(workspace, &path) {
                visit(workspace, &path, files)?;
            }
        } else if kind.is_file() && is_text(&path) {
            files.push(relative(workspace, &path));
        }
    }
    Ok(())
}

fn is_generated(workspace: &Workspace, folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder == workspace.target()
        || name == "target"
        || name.starts_with("mutants.out")
        || (name.starts_with('.') && !DOTTED.contains(&name.as_ref()))
}

fn is_text(path: &Path) -> bool {
    match path.extension() {
        Some(extension) => TEXT.iter().any(|known| extension == *known),
        None => path.parent().and_then(Path::file_name).is_some_and(|folder| folder == ".ci"),
    }
}

fn relative(workspace: &Workspace, path: &Path) -> String {
    let inside = path.strip_prefix(workspace.root()).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
