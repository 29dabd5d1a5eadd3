//! Runs scenarios through every driver, and prints a judgement or the traces.

use std::io::{self, Write};

use redress_conformance::{DRIVERS, Driver, Scenario, Trace};
use serde_json::json;

/// The first failures show what is wrong; the rest are only counted.
const SCENARIOS_SHOWN: usize = 10;
const FIELDS_SHOWN: usize = 6;

/// The difference may be a whole missing call; its beginning is enough to see that.
const LINE_SHOWN: usize = 240;

/// A failed scenario, with the reasons line by line.
struct Failure<'s> {
    id: &'s str,
    reasons: Vec<String>,
}

/// Runs every scenario through every driver and prints the results. Returns whether all passed.
pub(crate) fn judge(scenarios: &[Scenario]) -> bool {
    let mut passed = true;
    for driver in &DRIVERS {
        let failures: Vec<Failure<'_>> = scenarios.iter().filter_map(|scenario| failure(driver, scenario)).collect();
        println!("{}: {} passed, {} failed", driver.name, scenarios.len() - failures.len(), failures.len());
        show(&failures);
        passed &= failures.is_empty();
    }
    passed
}

fn failure<'s>(driver: &Driver, scenario: &'s Scenario) -> Option<Failure<'s>> {
    let reasons = match driver.run(scenario) {
        Ok(traces) => differing(scenario, &traces),
        Err(why) => vec![why],
    };
    (!reasons.is_empty()).then(|| Failure { id: scenario.id(), reasons })
}

fn differing(scenario: &Scenario, traces: &[Trace]) -> Vec<String> {
    scenario.mismatches(traces).iter().map(ToString::to_string).collect()
}

fn show(failures: &[Failure<'_>]) {
    for Failure { id, reasons } in failures.iter().take(SCENARIOS_SHOWN) {
        println!("  {id}");
        for reason in reasons.iter().take(FIELDS_SHOWN) {
            println!("    {}", shortened(reason));
        }
        if let Some(more @ 1..) = reasons.len().checked_sub(FIELDS_SHOWN) {
            println!("    and {more} more field(s)");
        }
    }
    if let Some(more @ 1..) = failures.len().checked_sub(SCENARIOS_SHOWN) {
        println!("  and {more} more scenario(s)");
    }
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LINE_SHOWN) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

/// Writes the trace of every driver and scenario, one object a line. Returns the number of runs
/// that panicked.
pub(crate) fn print(scenarios: &[Scenario], output: &mut impl Write) -> io::Result<usize> {
    let mut panicked = 0;
    for scenario in scenarios {
        for driver in &DRIVERS {
            match driver.run(scenario) {
                Ok(traces) => writeln!(output, "{}", line(driver, scenario, &traces))?,
                Err(why) => {
                    panicked += 1;
                    eprintln!("{}, {}: {why}", scenario.id(), driver.name);
                }
            }
        }
    }
    Ok(panicked)
}

fn line(driver: &Driver, scenario: &Scenario, traces: &[Trace]) -> serde_json::Value {
    let actual: Vec<_> = traces.iter().map(Trace::as_json).collect();
    json!({ "id": scenario.id(), "driver": driver.name, "actual": actual })
}

#[cfg(test)]
mod tests {
    use redress_conformance::{DRIVERS, parse, recorded_scenarios};
    use serde_json::Value;

    use super::{LINE_SHOWN, judge, print, shortened};

    #[test]
    fn what_is_printed_is_one_object_a_scenario_and_driver() {
        let scenarios = &recorded_scenarios()[..3];
        let mut output = Vec::new();
        assert_eq!(print(scenarios, &mut output).expect("memory can be written to"), 0);
        let lines = String::from_utf8(output).expect("text");
        let values: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let drivers: Vec<&Value> = values.iter().map(|value| &value["driver"]).collect();
        assert_eq!(drivers, DRIVERS.map(|driver| driver.name).repeat(3));
        assert!(values.iter().all(|value| value["actual"][0]["result"].is_string()));
    }

    #[test]
    fn another_expectation_fails() {
        let scenario = |result: &str| {
            let text = format!(
                r#"{{"id": "bare", "retry": null, "budget": null, "breaker": null, "calls": [{{"mode": "call",
                "advance_s": 0, "operation": null, "attempts": [{{"takes_s": 1, "ok": true}}], "sleep": null,
                "oversleep_s": 0, "abort_at_s": null, "abort_after_retry_events": null}}], "expect": [{{"result": "{result}",
                "value_attempt": 1, "slept_s": [], "events": [{{"event": "success", "attempt": 1, "sleep_s": 0}}],
                "attempt_hooks": [{{"hook": "start", "attempt": 1, "elapsed_s": 0}},
                {{"hook": "end", "attempt": 1, "decision": "success", "elapsed_s": 1}}]}}]}}"#
            );
            parse(&text.replace('\n', " ")).expect("a scenario")
        };
        assert!(judge(&scenario("ok")));
        assert!(!judge(&scenario("error")));
    }

    #[test]
    fn long_lines_are_shown_by_their_beginning() {
        assert_eq!(shortened("short"), "short");
        let long = shortened(&"\u{e9}".repeat(LINE_SHOWN + 1));
        assert_eq!(long, format!("{}...", "\u{e9}".repeat(LINE_SHOWN)));
    }
}
