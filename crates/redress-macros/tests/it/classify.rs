//! Classes, and what a variant adds to its class.

use std::time::Duration;

use redress::{Classification, Classify, ErrorClass};

#[derive(Classify)]
enum EveryClass {
    #[classify(Auth)]
    Auth,
    #[classify(Permission)]
    Permission(),
    #[classify(Permanent)]
    Permanent {},
    #[classify(Concurrency)]
    Concurrency((), ()),
    #[classify(RateLimit)]
    RateLimit { _one: u8, _two: u8 },
    #[classify(ServerError)]
    ServerError,
    #[classify(Transient)]
    Transient,
    #[classify(Unknown)]
    Unknown,
}

#[test]
fn each_variant_has_the_class_that_it_names() {
    let all = [
        EveryClass::Auth,
        EveryClass::Permission(),
        EveryClass::Permanent {},
        EveryClass::Concurrency((), ()),
        EveryClass::RateLimit { _one: 1, _two: 2 },
        EveryClass::ServerError,
        EveryClass::Transient,
        EveryClass::Unknown,
    ];
    let plain: Vec<Classification> = ErrorClass::ALL.iter().copied().map(Classification::new).collect();
    assert_eq!(all.each_ref().map(Classify::classification).to_vec(), plain);
}

#[derive(Classify)]
enum Hints {
    #[classify(RateLimit, retry_after = wait)]
    Named { wait: Duration },
    #[classify(RateLimit, retry_after = 1)]
    Numbered((), Option<Duration>),
}

#[test]
fn the_hint_is_that_of_the_field() {
    let wait = Duration::from_secs(7);
    assert_eq!(Hints::Named { wait }.classification().retry_after(), Some(wait));
    assert_eq!(Hints::Numbered((), Some(wait)).classification().retry_after(), Some(wait));
    assert_eq!(Hints::Numbered((), None).classification().retry_after(), None);
}

#[derive(Classify)]
enum Notes {
    #[classify(abort)]
    Stop,
    #[classify(Transient, forbid_retry = "half_sent")]
    HalfSent,
    #[classify(Transient, unsent)]
    Refused,
    #[classify(Transient, timed_out)]
    Late,
}

#[test]
fn notes_are_those_of_the_core() {
    assert_eq!(Notes::Stop.classification(), Classification::abort());
    assert_eq!(Notes::HalfSent.classification().retry_forbidden(), Some("half_sent"));
    assert!(Notes::Refused.classification().is_unsent());
    assert!(Notes::Late.classification().is_timeout());
    assert!(!Notes::Late.classification().is_unsent() && !Notes::Refused.classification().is_timeout());
}

#[derive(Classify)]
enum Details {
    #[classify(ServerError, details(code = code, server = "primary"))]
    Named { code: u16 },
    #[classify(ServerError)]
    #[classify(details(reason = 1))]
    Numbered((), &'static str),
}

#[test]
fn a_detail_is_a_text_or_a_field() {
    let named = Details::Named { code: 1205 }.classification();
    assert_eq!(named.details().collect::<Vec<_>>(), [("code", "1205"), ("server", "primary")]);
    assert_eq!(Details::Numbered((), "deadlock").classification().detail("reason"), Some("deadlock"));
}

#[derive(Classify)]
#[classify(RateLimit, retry_after = 0, details(limit = "hourly"))]
struct Limited(Duration);

#[derive(Classify)]
#[classify(Permanent)]
struct Gone;

#[derive(Classify)]
#[classify(Auth)]
struct Denied {
    _user: String,
}

#[test]
fn a_struct_has_one_class() {
    let limited = Limited(Duration::from_secs(1)).classification();
    assert_eq!(
        (limited.class(), limited.retry_after(), limited.detail("limit")),
        (ErrorClass::RateLimit, Some(Duration::from_secs(1)), Some("hourly")),
    );
    assert_eq!(Gone.classification().class(), ErrorClass::Permanent);
    assert_eq!(Denied { _user: "ada".into() }.classification().class(), ErrorClass::Auth);
}

#[derive(Classify)]
enum Never {}

#[test]
fn an_enum_without_variants_compiles() {
    let none: Option<Never> = None;
    assert!(none.map(|never| never.classification()).is_none());
}
