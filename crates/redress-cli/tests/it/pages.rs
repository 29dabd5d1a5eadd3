//! The README and the guide show what the command prints, and commands that it understands.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::run::{redress_in, text};

const README: &str = "../redress/README.md";
const GUIDE: &str = "../../docs/guide/doctor.md";

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name)
}

/// The first block of a language in which this text occurs.
fn block<'p>(page: &'p str, language: &str, part: &str) -> &'p str {
    let begin = format!("```{language}\n");
    let mut blocks = page.split(&*begin).skip(1).filter_map(|rest| rest.split("```").next());
    blocks.find(|block| block.contains(part)).expect("the page has the block")
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("written");
    }
    folder
}

fn arguments(command: &str) -> Vec<&str> {
    command.split_whitespace().skip_while(|word| *word != "redress").skip(1).collect()
}

#[test]
fn what_the_doctor_prints_is_on_the_pages() {
    for (name, of_file) in [(README, README), (GUIDE, GUIDE), ("README.md", GUIDE)] {
        let (page, file) = (page(name), page(of_file));
        let folder = folder(&[("policies.toml", block(&file, "toml", "[policy.orders]"))]);
        let shown = block(&page, "console", "$ redress doctor policies.toml\n");
        let (_, shown) = shown.split_once("$ redress doctor policies.toml\n").expect("the command");
        let shown = shown.split("$ ").next().unwrap_or_default();
        let printed = text(&redress_in(folder.path(), &["doctor", "policies.toml"]));
        assert!(shown.lines().count() >= 3 && printed.starts_with(shown), "{name} must show:\n{printed}");
    }
}

#[test]
fn the_workflow_of_the_guide_fails_on_warnings_alone() {
    let page = page(GUIDE);
    let workflow = block(&page, "yaml", "redress doctor");
    let command = workflow.lines().find(|line| line.contains("run: redress doctor")).expect("a step");
    let [bad, good] = ["[policy.orders]\nretry = {}\n", "[policy.orders]\npreset = 'http'\n"].map(|file| {
        let folder = folder(&[]);
        fs::create_dir(folder.path().join("config")).expect("created");
        fs::write(folder.path().join("config/policies.toml"), file).expect("written");
        redress_in(folder.path(), &arguments(command))
    });
    assert_eq!((bad.status.code(), good.status.code()), (Some(1), Some(0)), "{command}");
    assert!(text(&bad).starts_with("::warning file=config/policies.toml,line="), "{}", text(&bad));
}

#[test]
fn the_simulation_of_the_readme_compares_two_files_and_draws_them() {
    let page = page(README);
    let command = page.split('`').find(|code| code.starts_with("redress simulate ")).expect("the command");
    let careless = "[policy.orders]\nretry = { max_attempts = 4 }\nattempt_timeout = \"1s\"\n";
    let folder = folder(&[("policies.toml", block(&page, "toml", "[policy.orders]")), ("careless.toml", careless)]);
    let output = redress_in(folder.path(), &arguments(command));
    assert_eq!(output.status.code(), Some(0), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(text(&output).contains("orders in careless.toml: calls"), "{}", text(&output));
    let report = fs::read_to_string(folder.path().join("report.html")).expect("the page is written");
    assert!(report.contains("<svg"));
}
