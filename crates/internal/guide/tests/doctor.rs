//! `docs/guide/doctor.md` has a row and a section for each code.

use redress::doctor::Code;

const PAGE: &str = include_str!("../../../../docs/guide/doctor.md");

#[test]
fn the_guide_lists_and_explains_every_code() {
    let (_, table) = PAGE.split_once("\n| code | finding | at | severity |\n").expect("the table");
    let rows: Vec<_> = table.lines().skip(1).take_while(|line| line.starts_with("| [RD")).collect();
    let sections: Vec<_> = PAGE.lines().filter_map(|line| line.strip_prefix("### RD")).collect();
    assert_eq!((rows.len(), sections.len()), (Code::ALL.len(), Code::ALL.len()));
    for ((code, row), section) in Code::ALL.iter().zip(rows).zip(sections) {
        let name = code.as_str();
        assert!(row.starts_with(&format!("| [{name}](#{}) |", name.to_lowercase())), "{name}: {row}");
        assert_eq!(format!("RD{section}"), name);
    }
}
