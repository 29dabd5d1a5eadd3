//! [`Trail`]: which entries of which folders decide what a path names.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// How many links are followed: as many as Linux follows.
const MOST: usize = 40;

/// The links on the way to a file, and the file.
///
/// A deployment swaps a link, such as the `..data` of Kubernetes, and an editor puts another file
/// in place. Both change an entry of a folder, where the old file itself does not change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trail {
    folders: BTreeSet<PathBuf>,
    /// The names of the entries, and those of the folders: a folder that is moved or removed is no
    /// longer the one on the way.
    names: BTreeSet<OsString>,
}

impl Trail {
    /// The trail of a path. It ends at the first entry that does not exist.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let mut trail = Self::default();
        let mut folder = PathBuf::new();
        let mut rest = parts(&std::path::absolute(path)?);
        let mut links = 0;
        while let Some(part) = rest.pop() {
            match Path::new(&part).components().next() {
                Some(Component::ParentDir) => {
                    folder.pop();
                }
                Some(Component::Normal(name)) => {
                    let entry = folder.join(name);
                    let target = fs::read_link(&entry);
                    if target.is_ok() || rest.is_empty() || !entry.is_dir() {
                        trail.add(&folder, name);
                    }
                    match target {
                        Ok(_) if links == MOST => break,
                        Ok(target) => {
                            links += 1;
                            rest.extend(parts(&target));
                        }
                        Err(_) if entry.is_dir() => folder = entry,
                        Err(_) => break,
                    }
                }
                // The root, to which an absolute link leads back.
                _ => folder.push(part),
            }
        }
        Ok(trail)
    }

    fn add(&mut self, folder: &Path, name: &OsStr) {
        self.names.insert(name.to_owned());
        self.names.extend(folder.file_name().map(OsStr::to_owned));
        self.folders.insert(folder.to_owned());
    }

    /// The folders whose entries are on the trail.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.iter().map(PathBuf::as_path)
    }

    /// Whether a change at this path may be one of the trail. Names decide: systems differ in how
    /// they spell the path of a folder.
    pub(super) fn has(&self, path: &Path) -> bool {
        path.file_name().is_none_or(|name| self.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<OsString> {
    path.components().rev().map(|part| part.as_os_str().to_owned()).collect()
}
