//! The original's recorded table of gRPC statuses, and the list of what differs.
//!
//! How rows are read and judged is `redress_testing::conformance`'s.

use redress_core::ErrorClass;
use redress_testing::conformance::{PUBLIC_TABLES, judge_tables};
use redress_tonic::classify_code;
use redress_tonic::differences::{ALL, covering};
use tonic::Code;

#[test]
fn each_row_is_answered_as_the_original_does_or_differs_on_purpose() {
    let report = judge_tables(PUBLIC_TABLES).expect("the published tables can be read");
    let table = report.tables.iter().find(|table| table.name == "grpc").expect("a judged table");
    assert!(table.wrong.is_empty() && table.as_original > table.rows() / 2, "{report}");
    assert!(report.stale.is_empty(), "{report}");
}

#[test]
fn each_difference_covers_its_example() {
    for difference in ALL {
        assert_eq!(covering(difference.example).map(|listed| listed.reason), Some(difference.reason));
        for part in [difference.example, difference.original, difference.ours, difference.reason, difference.source] {
            assert!(difference.to_string().contains(part), "{part} in {difference}");
        }
    }
    for alike in ["UNAVAILABLE", "INTERNAL", "UNAUTHENTICATED", "NONSENSE"] {
        assert!(covering(alike).is_none(), "{alike}");
    }
}

#[test]
fn every_code_but_ok_has_a_class() {
    for number in 0..=16 {
        let code = Code::from_i32(number);
        assert_eq!(classify_code(code).is_none(), code == Code::Ok, "{code:?}");
    }
    assert_eq!(classify_code(Code::from_i32(17)), Some(ErrorClass::Transient));
}
