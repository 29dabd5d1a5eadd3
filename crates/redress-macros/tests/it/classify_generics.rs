//! Generic errors: bounds are added where a field is asked or shown, and nowhere else.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::io;
use std::time::Duration;

use redress::{Classify, ErrorClass};

#[derive(Classify)]
enum Asked<E, K, const N: usize> {
    #[classify(forward)]
    Inner(E),
    #[classify(Permanent)]
    Keyed(K, [u8; N]),
}

/// Neither `Classify` nor anything else.
struct Opaque;

#[test]
fn only_the_field_that_is_asked_is_bounded() {
    let inner: Asked<io::Error, Opaque, 2> = Asked::Inner(io::ErrorKind::ConnectionReset.into());
    assert_eq!(inner.classification().class(), ErrorClass::Transient);
    let keyed: Asked<io::Error, Opaque, 2> = Asked::Keyed(Opaque, [0; 2]);
    assert_eq!(keyed.classification().class(), ErrorClass::Permanent);
}

#[derive(Classify)]
#[classify(forward = 1)]
struct Borrowing<'a, T: ?Sized, E>(&'a T, Inside<E>)
where
    T: Debug,
    E: Copy;

#[derive(Classify)]
#[classify(Transient)]
struct Inside<E>(E);

#[test]
fn lifetimes_and_where_clauses_are_kept() {
    let borrowing = Borrowing("text", Inside(7));
    assert_eq!(borrowing.classification().class(), ErrorClass::Transient);
    assert_eq!((borrowing.0, borrowing.1.0), ("text", 7));
}

#[derive(Classify)]
enum Shown<D, W, E> {
    #[classify(RateLimit, retry_after = 0, details(code = 1))]
    Coded(W, D),
    #[classify(default_classifier)]
    Foreign(E),
}

fn shown<D: Display, W: Copy + Into<Option<Duration>>, E: Error + 'static>(error: &Shown<D, W, E>) -> ErrorClass {
    error.classification().class()
}

#[test]
fn every_use_of_a_field_has_its_bound() {
    assert_eq!(shown(&Shown::<u8, _, io::Error>::Coded(Duration::ZERO, 7)), ErrorClass::RateLimit);
    let foreign: Shown<u8, Duration, _> = Shown::Foreign(io::Error::from(io::ErrorKind::TimedOut));
    assert_eq!(shown(&foreign), ErrorClass::Transient);
}
