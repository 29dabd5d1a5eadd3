//! The table of instructions in each build profile, for every case of the main rows.

use std::fmt::Write as _;

use super::{RowReport, emphasis, number};

/// The profile of every other figure in the report.
const OWN: &str = "`codegen-units = 1`, no LTO";

/// `builds` names the other profiles. Empty if there are none.
pub(super) fn table(builds: &[String], rows: &[RowReport]) -> String {
    if builds.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n## Instructions in the profiles that users build with\n\n\
         The first is what the rest of this report was built with. Plain `--release` is what a user gets who sets nothing; \
         fat LTO has `codegen-units = 1`, too.\n\n\
         | | | | {OWN} | {} |\n|---|---|---|--:|{}\n",
        builds.join(" | "),
        "--:|".repeat(builds.len()),
    );
    // The clock is the same in all profiles.
    for row in rows.iter().filter(|row| row.row.key != "clock") {
        let mut title = row.row.title;
        for figures in row.figures.iter().filter(|figures| !figures.elsewhere.is_empty()) {
            let own = &figures.instructions;
            let counts: Vec<String> = [own]
                .into_iter()
                .chain(&figures.elsewhere)
                .map(|count| number(count.as_ref().ok().copied(), 0))
                .collect();
            let _ = writeln!(
                text,
                "| {title} | {} | {} | {} |",
                emphasis(&figures.case),
                figures.case.kind,
                counts.join(" | ")
            );
            // Each row's title is printed once.
            title = "";
        }
    }
    let counts = rows.iter().flat_map(|row| &row.figures).flat_map(|figures| &figures.elsewhere);
    if let Some(cause) = counts.filter_map(|count| count.as_ref().err()).next() {
        let _ = writeln!(text, "\nNot all were counted: {cause}.");
    }
    text
}
