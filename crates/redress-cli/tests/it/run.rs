//! Runs the command.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Runs the command in the folder of this crate.
pub(crate) fn redress<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Output {
    redress_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments)
}

/// Runs the command in a folder.
pub(crate) fn redress_in<S: AsRef<std::ffi::OsStr>>(folder: &Path, arguments: &[S]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redress"));
    command.current_dir(folder).args(arguments).output().expect("the command can be run")
}

/// Runs the command with this on its standard input.
pub(crate) fn redress_with(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redress"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = command.spawn().expect("the command can be run");
    // Dropped at once, which ends the input.
    running.stdin.take().expect("it is piped").write_all(input).expect("it reads");
    running.wait_with_output().expect("it ends")
}

/// The files of one half of the corpus, `good` or `bad`.
pub(crate) fn corpus(half: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/corpus").join(half);
    let listed = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).expect("the folder exists");
    let mut files: Vec<_> = listed.map(|file| folder.join(file.expect("readable").file_name())).collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    files
}

/// What the command wrote.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}
