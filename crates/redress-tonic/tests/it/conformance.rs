//! The original's recorded table of gRPC statuses, and the list of what differs.

use std::error::Error;
use std::fmt;

use redress_core::ErrorClass;
use redress_testing::conformance::PUBLIC_TABLES;
use redress_tonic::differences::{ALL, covering};
use redress_tonic::{classify_code, grpc_classifier};
use tonic::{Code, Status};

/// An error that has no status.
#[derive(Debug)]
struct RpcError;

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the call failed")
    }
}

impl Error for RpcError {}

/// The code whose name, as gRPC spells it, is this.
fn code(name: &str) -> Option<Code> {
    (0..=16).map(Code::from_i32).find(|code| format!("{code:?}").to_uppercase() == name.replace('_', ""))
}

fn ours(status: Option<&str>) -> ErrorClass {
    match status {
        Some(name) => {
            let code = code(name).unwrap_or_else(|| panic!("{name} is a code"));
            grpc_classifier().classify_error(&Status::new(code, "failed")).class()
        }
        None => grpc_classifier().classify_error(&RpcError).class(),
    }
}

#[test]
fn each_row_is_answered_as_the_original_does_or_differs_on_purpose() {
    let file: serde_json::Value = serde_json::from_str(PUBLIC_TABLES).expect("the published tables");
    let rows = file["tables"]["grpc"].as_array().expect("a table");
    assert!(!rows.is_empty());
    for row in rows {
        let status = row["input"]["status"].as_str();
        let (original, ours) = (row["expect"]["class"].as_str().expect("a class"), ours(status).as_str());
        let differs = status.and_then(covering).map(|listed| (listed.original, listed.ours));
        assert!(original == ours || differs == Some((original, ours)), "{row}: we say {ours}");
    }
}

#[test]
fn each_difference_covers_its_example_and_still_exists() {
    for difference in ALL {
        assert_eq!(covering(difference.example).map(|listed| listed.reason), Some(difference.reason));
        assert_eq!(ours(Some(difference.example)).as_str(), difference.ours, "{difference}");
        assert_ne!(difference.original, difference.ours);
        for part in [difference.example, difference.original, difference.ours, difference.reason, difference.source] {
            assert!(difference.to_string().contains(part), "{part} in {difference}");
        }
    }
    assert!(covering("UNAVAILABLE").is_none());
}

#[test]
fn every_code_but_ok_has_a_class() {
    for number in 0..=16 {
        let code = Code::from_i32(number);
        assert_eq!(classify_code(code).is_none(), code == Code::Ok, "{code:?}");
    }
    assert_eq!(classify_code(Code::from_i32(17)), Some(ErrorClass::Unknown));
}
