//! Runs a target on files named on the command line, such as a crash that the fuzzer found.
//!
//! A broken law is a panic.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs `target` on the files and folders named on the command line.
///
/// # Panics
///
/// If the target panics.
pub fn replay_files(target: fn(&[u8])) -> ExitCode {
    let mut replayed = 0;
    for argument in env::args_os().skip(1) {
        let path = PathBuf::from(argument);
        let inputs = if path.is_dir() { inputs_in(&path) } else { Ok(vec![path.clone()]) };
        let read = inputs.and_then(|inputs| inputs.iter().map(fs::read).collect::<io::Result<Vec<_>>>());
        match read {
            Ok(contents) => {
                contents.iter().for_each(|bytes| target(bytes));
                replayed += contents.len();
            }
            Err(error) => {
                eprintln!("could not read {}: {error}", path.display());
                return ExitCode::FAILURE;
            }
        }
    }
    if replayed == 0 {
        eprintln!("nothing to replay: name the files, or folders of files, to run this target on");
        return ExitCode::FAILURE;
    }
    println!("{replayed} input(s), every law holds");
    ExitCode::SUCCESS
}

fn inputs_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut inputs = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    inputs.retain(|path| path.is_file());
    inputs.sort();
    Ok(inputs)
}
