//! The list of targets, and functions that run them on files: on a crash found earlier, or on all
//! committed inputs.
//!
//! A broken law is a panic.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::{
    conformance_reader, engine_schedule, permit_schedule, response_head, retry_after, strategies, text_parsers,
};

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its program and of its folder of inputs.
    pub name: &'static str,
    /// Runs it on one input; panics if a law is broken.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 7] = [
    Target { name: "retry_after", run: retry_after },
    Target { name: "response_head", run: response_head },
    Target { name: "text_parsers", run: text_parsers },
    Target { name: "conformance_reader", run: conformance_reader },
    Target { name: "engine_schedule", run: engine_schedule },
    Target { name: "strategies", run: strategies },
    Target { name: "permit_schedule", run: permit_schedule },
];

/// Runs `target` on every committed input of `kind`, `corpus` or `seeds`. Returns their number.
///
/// # Errors
///
/// If the folder or one of its files cannot be read.
///
/// # Panics
///
/// If the target panics.
pub fn replay_committed(kind: &str, target: Target) -> io::Result<usize> {
    let inputs = inputs_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join(kind).join(target.name))?;
    for input in &inputs {
        let bytes = fs::read(input)?;
        // Shown when the test fails.
        println!("{}", input.display());
        (target.run)(&bytes);
    }
    Ok(inputs.len())
}

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
