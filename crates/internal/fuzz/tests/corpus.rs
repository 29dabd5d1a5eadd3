//! Replays the committed inputs, so that the fuzzer's findings are checked on every machine without
//! a fuzzer. Every program has inputs, and all inputs have a program.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::panic::catch_unwind;
use std::path::PathBuf;

struct Input {
    name: String,
    bytes: Vec<u8>,
}

/// Declares a test for each target, and their list.
macro_rules! replay {
    ($($target:ident),+ $(,)?) => {
        const REPLAYED: &[&str] = &[$(stringify!($target)),+];
        $(
            #[test]
            fn $target() {
                holds_on_its_inputs(stringify!($target), redress_fuzz::$target);
            }
        )+
    };
}

replay! {
    conformance_reader,
    engine_schedule,
    llm_response,
    permit_schedule,
    policy_file,
    response_head,
    retry_after,
    strategies,
    text_parsers,
}

#[test]
fn every_program_has_inputs_that_are_replayed() {
    let replayed: BTreeSet<String> = REPLAYED.iter().map(|&target| target.to_owned()).collect();
    assert_eq!(names_in("fuzz_targets", "rs"), replayed, "the programs of fuzz_targets, and the targets above");
    assert_eq!(names_in("corpus", "tar"), replayed, "the archives of corpus, and the targets above");
    assert_eq!(names_in("seeds", ""), replayed, "the folders of seeds, and the targets above");
    let without_target: Vec<_> = names_in("dictionaries", "dict").difference(&replayed).cloned().collect();
    assert!(without_target.is_empty(), "dictionaries of no target: {without_target:?}");
}

fn holds_on_its_inputs(target: &str, run: fn(&[u8])) {
    holds_on(&format!("corpus/{target}.tar"), archived(target), run);
    holds_on(&format!("seeds/{target}"), seeds(target), run);
}

fn holds_on(place: &str, inputs: io::Result<Vec<Input>>, run: fn(&[u8])) {
    let inputs = inputs.unwrap_or_else(|error| panic!("could not read {place}: {error}"));
    assert!(!inputs.is_empty(), "{place} is empty");
    let broken = inputs.iter().filter(|input| catch_unwind(|| run(&input.bytes)).is_err());
    let broken: Vec<&str> = broken.map(|input| input.name.as_str()).collect();
    assert!(broken.is_empty(), "{} of {} inputs of {place} break a law: {broken:#?}", broken.len(), inputs.len());
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn archived(target: &str) -> io::Result<Vec<Input>> {
    let packed = fs::read(folder("corpus").join(target).with_extension("tar"))?;
    let mut archive = tar::Archive::new(packed.as_slice());
    let read = |entry: io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        Ok(Input { name: entry.path()?.display().to_string(), bytes })
    };
    archive.entries()?.map(read).collect()
}

fn seeds(target: &str) -> io::Result<Vec<Input>> {
    let read = |file: fs::DirEntry| {
        Ok(Input { name: file.file_name().to_string_lossy().into_owned(), bytes: fs::read(file.path())? })
    };
    fs::read_dir(folder("seeds").join(target))?.map(|file| read(file?)).collect()
}

/// The names of the files with this extension, without it, or of the folders if it is empty.
fn names_in(name: &str, extension: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder(name)).unwrap_or_else(|error| panic!("could not list {name}: {error}"));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let paths = paths.filter(|path| path.extension().unwrap_or_default() == extension);
    // Fuzzing by hand leaves folders between the archives.
    let paths = paths.filter(|path| path.is_dir() == extension.is_empty());
    paths.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
}
