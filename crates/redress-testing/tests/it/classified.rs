//! The assertion that a classifier knows every error, and the list of an enum's variants.

use redress_testing::{assert_classified, every_variant};

use redress::classify::own_classifier;
use redress::{Classification, Classify, ErrorClass, error_classifier};

#[derive(Clone, Copy, Debug, PartialEq)]
enum StoreError<C> {
    Busy,
    Coded(C, u8),
    Slow { millis: u64 },
}

type Found = StoreError<u16>;

fn all() -> [Found; 4] {
    let millis = 7;
    every_variant![StoreError<u16>: Busy, Coded(7, 8), Slow { millis }, Slow { millis: 9, },]
}

#[test]
fn every_variant_is_listed_as_written() {
    let listed = [Found::Busy, Found::Coded(7, 8), Found::Slow { millis: 7 }, Found::Slow { millis: 9 }];
    assert_eq!(all(), listed);
}

#[test]
fn a_classifier_that_knows_all_passes() {
    assert_classified(&error_classifier(|_: &Found| ErrorClass::Permanent), all());
    assert_classified(&error_classifier(|_: &Found| Classification::abort()), all());
    let unknown_abort = |_: &Result<(), Found>| Some(Classification::abort());
    assert_classified(&unknown_abort, all());
}

#[test]
#[should_panic(expected = "3 of 4 errors have no class:\n  Coded(7, 8)\n  Slow { millis: 7 }\n  Slow { millis: 9 }")]
fn every_error_without_a_class_is_listed() {
    assert_classified(
        &|result: &Result<(), Found>| match result {
            Ok(()) => None,
            Err(Found::Busy) => Some(ErrorClass::RateLimit),
            Err(Found::Coded(..)) => Some(ErrorClass::Unknown),
            Err(Found::Slow { .. }) => None,
        },
        all(),
    );
}

impl Classify for Found {
    fn classification(&self) -> Classification {
        ErrorClass::Permanent.into()
    }
}

#[test]
fn errors_that_know_their_class_can_be_asserted() {
    assert_classified(&own_classifier(), all());
}
