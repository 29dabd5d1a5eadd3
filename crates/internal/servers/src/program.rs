//! Where the programs of the servers and the drivers of ODBC are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders beside the `PATH` in which Debian keeps server programs.
const FOLDERS: &[&str] = &["/usr/sbin", "/usr/local/sbin"];

/// Where distributions keep drivers of ODBC, without the folder of an architecture.
const DRIVERS: &[&str] = &["/usr/lib/odbc", "/usr/lib64", "/usr/lib", "/usr/local/lib"];

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
    found(folders, name, package)
}

/// Finds the file of an ODBC driver, for the `Driver=` of a connection string. A path there needs
/// no entry in the system's configuration.
///
/// # Panics
///
/// If it is not installed. The message names the package.
#[must_use]
pub fn find_odbc_driver(file: &str, package: &str) -> PathBuf {
    let of_architectures = subfolders("/usr/lib").into_iter().map(|folder| folder.join("odbc"));
    found(of_architectures.chain(DRIVERS.iter().map(PathBuf::from)), file, package)
}

/// The folders in a folder; the last version first, where versions are their names.
pub(crate) fn subfolders(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.reverse();
    folders
}

fn found(mut folders: impl Iterator<Item = PathBuf>, name: &str, package: &str) -> PathBuf {
    let file = folders.find_map(|folder| Some(folder.join(name)).filter(|file| file.is_file()));
    file.unwrap_or_else(|| {
        panic!("`{name}` is not installed: run `cargo xtask servers`, or install the package {package}")
    })
}
