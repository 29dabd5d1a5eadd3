//! The schema and the table of settings are current, and say what the reader and the builders say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use redress::config::{PolicyFile, schema, settings};
use serde_json::Value;

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a generated text with its file. With `REDRESS_UPDATE` in the environment, writes it.
fn is_current(file: &str, generated: &str) {
    let path = crate_folder().join(file);
    if std::env::var_os("REDRESS_UPDATE").is_some() {
        fs::write(&path, generated).expect("the folder exists");
    }
    let kept = fs::read_to_string(&path).expect("the file exists");
    assert!(kept == generated, "{file} is not current: run this test with REDRESS_UPDATE=1");
}

#[test]
fn the_schema_is_current() {
    is_current("schema/policies.schema.json", &schema());
}

#[test]
fn the_table_of_settings_is_current() {
    let head = "# Settings of policy files\n\nEvery setting, and the methods of builders that do the same. \
                Written from the tables that read the files.\n\n";
    is_current("schema/settings.md", &format!("{head}{}", settings()));
}

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(&schema()).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
}

/// The files of a folder of the corpus, with their content.
fn corpus(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = crate_folder().join("tests/corpus").join(folder);
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the corpus").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).expect("a text"))).collect()
}

/// The content of a file in TOML or JSON as JSON. Numbers above those of TOML are left out by the
/// reader of `toml` alone, and a date is a text.
fn as_json(path: &Path, text: &str) -> Option<Value> {
    match path.extension()?.to_str()? {
        "toml" => Some(toml::from_str(&text.replace("18446744073709551615", "1")).expect("TOML")),
        "json" => Some(serde_json::from_str(text).expect("JSON")),
        _ => None,
    }
}

#[test]
fn good_files_are_read_validated_and_written() {
    let validator = validator();
    for (path, text) in corpus("good") {
        let file = PolicyFile::read(&path).unwrap_or_else(|refused| panic!("{refused}"));
        if let Some(json) = as_json(&path, &text) {
            let errors: Vec<_> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
            assert_eq!(errors, [""; 0], "{}", path.display());
        }
        let written = file.to_toml();
        assert_eq!(PolicyFile::parse(&written, "written.toml").expect("as written"), file, "{written}");
        let json = toml::from_str::<Value>(&written.replace("18446744073709551615", "1")).expect("TOML");
        assert!(validator.is_valid(&json), "{written}");
    }
}

#[test]
fn bad_files_are_refused_by_the_reader_and_by_the_schema() {
    let validator = validator();
    let files = corpus("bad");
    assert!(files.len() > 15);
    for (path, text) in files {
        let refused = PolicyFile::read(&path).expect_err(&path.display().to_string());
        assert_eq!(refused.problems().len(), 1, "{refused}");
        let json = as_json(&path, &text).expect("TOML");
        assert!(!validator.is_valid(&json), "{} is valid by the schema", path.display());
    }
}

#[test]
fn the_formats_say_the_same() {
    let read = |name: &str| PolicyFile::read(crate_folder().join("tests/corpus/good").join(name)).expect("a good file");
    assert_eq!(read("orders.toml"), read("orders.yaml"));
    assert_eq!(read("orders.toml"), read("orders.json"));
}

#[test]
fn every_setting_of_the_table_is_in_the_largest_file() {
    let text = fs::read_to_string(crate_folder().join("tests/corpus/good/everything.toml")).expect("a text");
    for row in settings().lines().skip(2) {
        let key = row.split('`').nth(1).expect("a key").rsplit('.').next().expect("a key");
        assert!(key == "*" || text.contains(key), "{row}");
    }
}

/// Methods of builders that take code, or make the thing.
const CODE: [&str; 21] = [
    "CircuitBreakerBuilder::build",
    "CircuitBreakerBuilder::clock",
    "EarnedBudgetBuilder::build",
    "PolicyBuilder::abort_if",
    "PolicyBuilder::abort_on",
    "PolicyBuilder::before_sleep",
    "PolicyBuilder::before_sleep_async",
    "PolicyBuilder::build",
    "PolicyBuilder::capture_timeline",
    "PolicyBuilder::capture_timeline_into",
    "PolicyBuilder::classifier",
    "PolicyBuilder::clock",
    "PolicyBuilder::observer",
    "PolicyBuilder::on_attempt_end",
    "PolicyBuilder::on_attempt_start",
    "PolicyBuilder::sleep_handler",
    "PolicyBuilder::sleep_with",
    "PolicyBuilder::timer",
    "RetryBuilder::build",
    "RetryBuilder::on_retry",
    "Trial::new",
];

/// The methods and functions of the core that configure something, from the list of its public
/// items: `RetryBuilder::max_attempts`, or `fixed` for functions that return strategies.
fn methods() -> BTreeSet<String> {
    let list = fs::read_to_string(crate_folder().join("../../docs/api/redress-core.txt")).expect("the list of the API");
    let builders = [
        "PolicyBuilder",
        "RetryBuilder",
        "CircuitBreakerBuilder",
        "EarnedBudgetBuilder",
        "Trial",
        "Exponential",
        "DecorrelatedJitter",
        "RetryAfterOr",
        "Adaptive",
    ];
    let mut methods = BTreeSet::new();
    for line in list.lines().filter(|line| line.starts_with("pub ") && line.contains("fn ")) {
        let Some((path, rest)) = line.split_once("fn ").and_then(|(_, path)| path.split_once('(')) else { continue };
        let path = without_generics(path);
        let keys: Vec<_> = path.rsplit("::").take(2).collect();
        let [method, of] = keys.as_slice() else { continue };
        if builders.contains(of) && (rest.starts_with("self") || *method == "new") {
            methods.insert(format!("{of}::{method}"));
        } else if *of == "strategy" || (*of == "Budget" && ["new", "earned"].contains(method)) {
            let name = if *of == "strategy" { (*method).to_owned() } else { format!("{of}::{method}") };
            methods.insert(name);
        }
    }
    methods
}

fn without_generics(path: &str) -> String {
    let mut depth = 0_usize;
    path.chars()
        .filter(|character| {
            depth += usize::from(*character == '<');
            let is_outside = depth == 0;
            depth -= usize::from(*character == '>');
            is_outside
        })
        .collect()
}

#[test]
fn what_a_builder_can_set_a_file_can_set_and_the_reverse() {
    let settings = settings();
    let of_files: BTreeSet<String> = settings
        .lines()
        .skip(2)
        .filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next())
        .flat_map(|methods| methods.split(", "))
        .map(|method| method.trim_matches(['`', '|', ' ']))
        .filter(|method| !method.is_empty())
        .map(str::to_owned)
        .collect();
    let of_builders: BTreeSet<_> = methods().into_iter().filter(|method| !CODE.contains(&method.as_str())).collect();
    let missing: Vec<_> = of_builders.difference(&of_files).collect();
    let unknown: Vec<_> = of_files.difference(&of_builders).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "no file sets {missing:?}, no builder has {unknown:?}");
}
