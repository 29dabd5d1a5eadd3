//! The committed corpus of a target as one tar archive, in place of hundreds of small files.
//!
//! The bytes of an archive depend on its inputs only: they are in the order of their names and have
//! no owner and no time. It is not compressed, since git compresses each version and stores it as a
//! difference to another one.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result};
use tar::{Archive, Builder, EntryType, Header};

/// Writes the inputs of the archive into a folder. An archive that does not exist has none.
pub(super) fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    if !archive.exists() {
        return Ok(());
    }
    let packed = fs::read(archive).with_context(|| format!("could not read {}", archive.display()))?;
    let unpacked = Archive::new(packed.as_slice()).unpack(folder);
    unpacked.with_context(|| format!("could not unpack {} into {}", archive.display(), folder.display()))
}

/// Replaces the archive by one of the files in a folder. Returns their number.
pub(super) fn pack(folder: &Path, archive: &Path) -> Result<usize> {
    let inputs = inputs(folder).with_context(|| format!("could not read the inputs in {}", folder.display()))?;
    let written = packed(&inputs).and_then(|bytes| fs::write(archive, bytes));
    written.with_context(|| format!("could not write {}", archive.display()))?;
    Ok(inputs.len())
}

/// The contents of the files, by name.
fn inputs(folder: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let read = |entry: fs::DirEntry| Ok((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?));
    fs::read_dir(folder)?.map(|entry| read(entry?)).collect()
}

fn packed(inputs: &BTreeMap<String, Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (name, content) in inputs {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, content.as_slice())?;
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::PathBuf;

    use super::{pack, unpack};

    /// An empty folder for the files of a test.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("redress-xtask-{}-{name}", std::process::id()));
        fs::create_dir(&folder).expect("the folder is new");
        folder
    }

    #[test]
    fn the_same_inputs_are_the_same_bytes_wherever_they_come_from() {
        let root = folder("archive");
        let [first, second, unpacked] = ["first", "second", "unpacked"].map(|name| root.join(name));
        let inputs = BTreeMap::from([("a", b"".as_slice()), ("b", b"\r\n\xff"), ("c", &[7; 1025])]);
        for folder in [&first, &second, &unpacked] {
            fs::create_dir(folder).expect("a folder");
        }
        for (name, content) in &inputs {
            fs::write(first.join(name), content).expect("a file");
        }
        for (name, content) in inputs.iter().rev() {
            fs::write(second.join(name), content).expect("a file");
        }

        let archives = ["first.tar", "second.tar", "again.tar"].map(|name| root.join(name));
        assert_eq!(pack(&first, &archives[0]).expect("packed"), inputs.len());
        pack(&second, &archives[1]).expect("packed");
        unpack(&archives[0], &unpacked).expect("unpacked");
        for (name, content) in &inputs {
            assert_eq!(fs::read(unpacked.join(name)).expect("an input"), *content, "{name}");
        }
        pack(&unpacked, &archives[2]).expect("packed");
        let [first, second, again] = archives.map(|archive| fs::read(archive).expect("an archive"));
        assert!(first == second && first == again);
        fs::remove_dir_all(root).expect("the folder is removed");
    }

    #[test]
    fn a_target_without_an_archive_starts_with_no_inputs() {
        let root = folder("no-archive");
        unpack(&root.join("none.tar"), &root).expect("nothing to unpack");
        assert_eq!(fs::read_dir(&root).expect("a folder").count(), 0);
        fs::remove_dir_all(root).expect("the folder is removed");
    }
}
