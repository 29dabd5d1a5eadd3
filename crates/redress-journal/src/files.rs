//! The files of a journal: the current one, and older ones with a number.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that is replaced when it has reached its size. `calls.jsonl` becomes `calls.jsonl.1`, and
/// so on up to a number of files.
pub(crate) struct Files {
    path: PathBuf,
    max_bytes: u64,
    max_files: u32,
    current: BufWriter<File>,
    bytes: u64,
}

impl Files {
    /// Opens the file, and appends to it if it exists.
    pub(crate) fn open(path: &Path, max_bytes: u64, max_files: u32) -> io::Result<Self> {
        let (current, bytes) = open(path)?;
        Ok(Self { path: path.to_owned(), max_bytes, max_files, current, bytes })
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.current.flush()?;
        for number in (1..self.max_files).rev() {
            let (from, to) = (self.numbered(number - 1), self.numbered(number));
            match fs::rename(&from, &to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.max_files == 1 {
            fs::remove_file(&self.path)?;
        }
        (self.current, self.bytes) = open(&self.path)?;
        Ok(())
    }

    /// The path of a file; 0 is the current one.
    fn numbered(&self, number: u32) -> PathBuf {
        let mut path = OsString::from(&self.path);
        if number > 0 {
            path.push(format!(".{number}"));
        }
        path.into()
    }
}

impl Write for Files {
    /// Writes one line, which is never split over two files.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let length = line.len() as u64;
        if self.bytes > 0 && self.bytes.saturating_add(length) > self.max_bytes {
            self.rotate()?;
        }
        self.current.write_all(line)?;
        self.bytes = self.bytes.saturating_add(length);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.current.flush()
    }
}

fn open(path: &Path) -> io::Result<(BufWriter<File>, u64)> {
    let file = File::options().create(true).append(true).open(path)?;
    let bytes = file.metadata()?.len();
    Ok((BufWriter::new(file), bytes))
}
