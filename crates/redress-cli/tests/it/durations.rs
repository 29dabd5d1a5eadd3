//! Policy files, scenario files and requirements have the same durations.

use redress_config::PolicyFile;
use redress_sim::{Requirement, Scenario};

fn in_a_policy(text: &str) -> bool {
    PolicyFile::parse(&format!("[policy.orders]\ndeadline = \"{text}\"\n"), "policies.toml").is_ok()
}

fn in_a_scenario(text: &str) -> bool {
    let load_and_server = "[load]\nrate = 1\n[server]\nworkers = 1\n";
    Scenario::from_toml(&format!("horizon = \"60s\"\n{load_and_server}service = \"{text}\"\n")).is_ok()
}

fn in_a_requirement(text: &str) -> bool {
    format!("recover < {text}").parse::<Requirement>().is_ok()
}

#[test]
fn a_duration_of_one_kind_of_file_is_one_of_all() {
    let good = ["30s", "30 s", "1.5s", "0.250 s", "2m30s", " 1h 1m ", "1 min", "3 minutes", "2sec", "1d", "5us", "5µs"];
    let bad =
        ["", "30", "s", "1.s", ".5s", "1..5s", "-1s", "1,5s", "30x", "5 parsecs", "0.5ns", "99999999999999999999h"];
    for (texts, expected) in [(good, true), (bad, false)] {
        for text in texts {
            let read = [in_a_policy(text), in_a_scenario(text), in_a_requirement(text)];
            assert_eq!(read, [expected; 3], "{text:?}: policy, scenario, requirement");
        }
    }
}
