//! Formats, exit codes and colour.

use serde_json::Value;

use crate::run::{corpus, redress, text};

const BAD: &str = "tests/corpus/bad/rd11_no_budget.toml";
const REFUSED: &str = "tests/corpus/bad/rd00_refused.toml";
const GOOD: &str = "tests/corpus/good/rd11_no_budget.toml";

#[test]
fn exit_codes_say_whether_a_denied_finding_was_found() {
    let code = |arguments: &[&str]| redress(arguments).status.code();
    assert_eq!(code(&["doctor", GOOD]), Some(0));
    assert_eq!(code(&["doctor", BAD]), Some(0));
    assert_eq!(code(&["doctor", BAD, "--deny", "warning"]), Some(1));
    assert_eq!(code(&["doctor", GOOD, "--deny", "warning"]), Some(0));
    assert_eq!(code(&["doctor", GOOD, "--deny", "note"]), Some(1));
    assert_eq!(code(&["doctor", REFUSED]), Some(1));
    assert_eq!(code(&["doctor", "no/such/file.toml"]), Some(2));
    assert_eq!(code(&["doctor"]), Some(2));
    assert_eq!(code(&["check", GOOD]), Some(0));
    assert_eq!(code(&["check", REFUSED]), Some(1));
    assert_eq!(code(&["explain", GOOD, "nothing"]), Some(2));
}

#[test]
fn text_is_80_columns_wide_but_for_places() {
    for half in ["good", "bad"] {
        for file in corpus(half) {
            let output = redress(&["doctor", file.to_str().expect("UTF-8"), "--notes"]);
            for line in text(&output).lines().filter(|line| line.starts_with(' ')) {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }
    for preset in redress_core::policy::Preset::ALL {
        for line in text(&redress(&["explain", "--preset", preset.as_str()])).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn colour_is_for_terminals_or_when_asked_for() {
    assert!(!text(&redress(&["doctor", BAD])).contains('\u{1b}'));
    assert!(text(&redress(&["doctor", BAD, "--color", "always"])).contains("\u{1b}["));
}

#[test]
fn json_has_every_part_of_a_finding() {
    let document: Value = serde_json::from_str(&text(&redress(&["doctor", BAD, "--format", "json"]))).expect("JSON");
    let finding = &document["findings"][0];
    assert_eq!(finding["code"], "RD11");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["file"], BAD);
    assert_eq!((&finding["line"], &finding["column"]), (&2.into(), &1.into()));
    assert_eq!((&finding["policy"], &finding["preset"]), (&"orders".into(), &Value::Null));
    assert_eq!(finding["setting"], "policy.orders.retry.budget");
    assert!(finding["page"].as_str().is_some_and(|page| page.ends_with("doctor.md#rd11")));
}

#[test]
fn json_names_the_preset_of_a_setting_that_the_file_leaves_out() {
    let output = redress(&["doctor", "tests/corpus/bad/rd20_preset.toml", "--format", "json"]);
    let document: Value = serde_json::from_str(&text(&output)).expect("JSON");
    let findings = document["findings"].as_array().expect("an array").iter();
    let found: Vec<_> = findings.map(|finding| (&finding["setting"], &finding["line"], &finding["preset"])).collect();
    assert_eq!(
        found,
        [
            (&"policy.orders.attempt_timeout".into(), &1.into(), &"http".into()),
            (&"policy.orders.retry.max_retries_for.RateLimit".into(), &4.into(), &Value::Null),
        ]
    );
}

#[test]
fn github_gets_one_annotation_a_line() {
    let text = text(&redress(&["doctor", BAD, "--format", "github"]));
    let start =
        format!("::warning file={BAD},line=2,col=1,title=RD11%3A Retries that no budget limits::policy.orders.retry.");
    assert!(text.starts_with(&start), "{text}");
    assert_eq!(text.lines().count(), 1);
    assert_eq!(self::text(&redress(&["doctor", GOOD, "--format", "github"])), "");
}

#[test]
fn a_file_that_is_no_toml_has_a_place_and_no_setting() {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a temporary file");
    std::fs::write(file.path(), "[policy.orders").expect("written");
    let written = |format: &str| {
        let format = format!("--format={format}");
        text(&redress(&["check".as_ref(), file.path().as_os_str(), format.as_ref()]))
    };
    let lines = written("text");
    let mut lines = lines.lines();
    assert!(lines.next().is_some_and(|place| place.ends_with(":1:15: error RD00")));
    let message = lines.next().expect("a message").trim_start().to_owned();
    assert!(written("github").trim_end().ends_with(&format!("::{message}")), "{}", written("github"));
    let document: Value = serde_json::from_str(&written("sarif")).expect("JSON");
    assert_eq!(document["runs"][0]["results"][0]["message"]["text"], message);
}

#[test]
fn sarif_names_rules_levels_and_places() {
    let document: Value = serde_json::from_str(&text(&redress(&["doctor", BAD, "--format", "sarif"]))).expect("JSON");
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "redress");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), redress_doctor::Code::ALL.len());
    let result = &run["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"RD11".into(), &"warning".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], BAD);
    assert_eq!((&place["region"]["startLine"], &place["region"]["startColumn"]), (&2.into(), &1.into()));
}

#[test]
fn a_thousand_policies_are_examined_in_one_run() {
    let policy = |index: u32| {
        format!(
            "[policy.p{index}]\n\
             retry = {{ max_attempts = {}, budget = {{ kind = \"earned\", capacity = 0.5 }} }}\n\
             deadline = \"20s\"\n\
             attempt_timeout = \"4s\"\n\
             breaker = {{ failure_ratio = 0.5 }}\n\
             strategy.default = {{ kind = \"exponential\" }}\n\
             strategy.RateLimit = {{ kind = \"decorrelated_jitter\", max = \"10s\" }}\n\
             traffic = {{ calls_per_second = {}, clients = 10 }}\n",
            2 + index % 8,
            index + 1,
        )
    };
    let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a temporary file");
    std::fs::write(file.path(), (0..1_000).map(policy).collect::<String>()).expect("written");
    let output = redress(&["doctor".as_ref(), file.path().as_os_str(), "--notes".as_ref()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("policy.p999."));
}

#[test]
fn more_problems_than_are_listed_are_counted() {
    let policies: String = (0..150).map(|index| format!("[policy.p{index}]\ndeadlin = \"1s\"\n")).collect();
    let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a temporary file");
    std::fs::write(file.path(), policies).expect("written");
    let output = redress(&["check".as_ref(), file.path().as_os_str()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("and 50 more problems"), "{}", text(&output));
}
