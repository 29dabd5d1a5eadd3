//! The slowest tests of a run, from the report that nextest writes in its profile `ci`.

use std::fs;

use anyhow::{Context as _, Result};
use roxmltree::Document;

use crate::workspace::Workspace;

/// How many of them are printed.
const SHOWN: usize = 10;

/// Below `nextest` in the target directory; the file name is set in `.config/nextest.toml`.
const REPORT: &str = "nextest/ci/junit.xml";

pub(crate) fn print(workspace: &Workspace) -> Result<()> {
    let path = workspace.target().join(REPORT);
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    println!("the slowest tests:");
    for (seconds, name) in slowest(&text)? {
        println!("  {seconds:>7.1} s  {name}");
    }
    Ok(())
}

fn slowest(report: &str) -> Result<Vec<(f64, String)>> {
    let report = Document::parse(report).context("the report of the tests is not XML")?;
    let cases = report.descendants().filter(|node| node.has_tag_name("testcase"));
    let mut tests: Vec<(f64, String)> = cases
        .filter_map(|case| {
            let name = format!("{} {}", case.attribute("classname")?, case.attribute("name")?);
            Some((case.attribute("time")?.parse().ok()?, name))
        })
        .collect();
    tests.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    tests.truncate(SHOWN);
    Ok(tests)
}

#[cfg(test)]
mod tests {
    use super::slowest;

    #[test]
    fn reads_the_times_of_a_report() {
        let report = r#"<testsuites><testsuite name="a"><testcase name="quick" classname="a" time="0.1"/>
            <testcase name="slow" classname="a::it" time="12.5"/></testsuite></testsuites>"#;
        let tests = slowest(report).expect("a report");
        assert_eq!(tests, [(12.5, "a::it slow".to_owned()), (0.1, "a quick".to_owned())]);
    }
}
