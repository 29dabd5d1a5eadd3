//! Where the programs of the servers are.

use std::env;
use std::path::{Path, PathBuf};

/// Folders beside the `PATH` in which Debian keeps server programs.
const FOLDERS: &[&str] = &["/usr/sbin", "/usr/local/sbin"];

/// Finds a program on the `PATH`, in the folders for servers, or in one of `further`.
///
/// # Panics
///
/// If it is in none of them. The message names the package.
#[must_use]
pub fn find_program(name: &str, further: &[&Path], package: &str) -> PathBuf {
    let on_path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&on_path)
        .chain(FOLDERS.iter().map(PathBuf::from))
        .chain(further.iter().map(|&folder| folder.to_owned()));
    folders.map(|folder| folder.join(name)).find(|program| program.is_file()).unwrap_or_else(|| {
        panic!("`{name}` is not installed: run `cargo xtask servers`, or install the package {package}")
    })
}
