//! What `#[derive(Classify)]` refuses, by its messages. How the compiler shows them is in
//! `crates/internal/compile-fail`.

use super::expand;

/// The messages for this item, or none.
fn messages(item: &str) -> Vec<String> {
    let input = syn::parse_str(item).expect("the test writes an item");
    match expand(&input) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

/// Expects one message that begins like this, for an enum with this variant.
#[track_caller]
fn refused(variant: &str, message: &str) {
    let found = messages(&format!("enum E {{ {variant} }}"));
    assert!(matches!(found.as_slice(), [only] if only.starts_with(message)), "{found:?}");
}

#[track_caller]
fn accepted(variant: &str) {
    assert_eq!(messages(&format!("enum E {{ {variant} }}")), [""; 0]);
}

#[test]
fn every_variant_has_one_class() {
    refused("A", "`A` has no class: ");
    refused("#[classify()] A", "`A` has no class: ");
    refused("#[classify(unsent)] A", "`A` has no class: ");
    refused("#[other(Transient)] A", "`A` has no class: ");
    refused("#[classify(Transient, Permanent)] A", "the class is decided twice");
    refused("#[classify(abort)] #[classify(Auth)] A", "the class is decided twice");
    assert_eq!(messages("enum E { A, #[classify(Auth)] B, C }").len(), 2, "all are shown at once");
    assert_eq!(messages("struct S;").len(), 1);
    accepted("#[classify(Unknown)] A, #[classify(abort)] B");
}

#[test]
fn words_are_known() {
    refused("#[classify(Transiet)] A", "no error class is `Transiet`: did you mean `Transient`?");
    refused("#[classify(RATE_LIMIT)] A", "no error class is `RATE_LIMIT`: did you mean `RateLimit`?");
    refused("#[classify(Broken)] A", "no error class is `Broken`; the classes are Auth, ");
    refused("#[classify(unsend)] A", "unknown `unsend`: did you mean `unsent`?");
    refused("#[classify(ErrorClass::Auth)] A", "write a class without its path");
    refused("#[classify(Auth, crate = a)] A", "`crate` belongs to the enum");
}

#[test]
fn notes_are_said_once_and_have_an_effect() {
    for twice in [
        "unsent, unsent",
        "timed_out, timed_out",
        "forbid_retry = \"a\", forbid_retry = \"b\"",
        "retry_after = 0, retry_after = 0",
    ] {
        refused(&format!("#[classify(Auth, {twice})] A(Duration)"), "set twice");
    }
    refused("#[classify(abort, forbid_retry = \"a\")] A", "`forbid_retry` has no effect beside `abort`");
    accepted("#[classify(abort, details(why = \"a\"))] A");
}

#[test]
fn fields_exist() {
    refused("#[classify(forward)] A", "there is no field to ask");
    refused("#[classify(forward)] A(u8, u8)", "which field is the error inside?");
    refused("#[classify(forward)] A(#[source] u8, #[from] u8)", "which field is the error inside?");
    refused("#[classify(default_classifier = b)] A { a: u8 }", "there is no field `b` here");
    refused("#[classify(Auth, retry_after = 1)] A(u8)", "there is no field `1` here");
    refused("#[classify(Auth, details(a = b))] A", "there is no field `b` here");
    refused("A(#[classify(forward)] u8)", "`classify` belongs to the variant or struct");
    accepted(
        "#[classify(with = f)] A(u8), #[classify(forward)] B(u8, #[from] u8), #[classify(forward)] C { a: u8, source: u8 }",
    );
    accepted("#[classify(forward, retry_after = r#type)] A { #[source] a: u8, r#type: u8 }");
}

#[test]
fn the_type_itself_only_names_the_crate() {
    let whole = messages("#[classify(Auth)] enum E { #[classify(Auth)] A }");
    assert!(whole[0].starts_with("a class for the whole enum"), "{whole:?}");
    assert_eq!(messages("#[classify(crate = a, crate = b)] enum E {}"), ["`crate` is set twice"]);
    assert_eq!(messages("union U { a: u8 }"), ["a union does not know which of its fields is valid"]);
    assert_eq!(messages("#[classify(crate = a::b)] enum E { #[classify(Auth)] A }"), [""; 0]);
}

#[test]
fn only_type_parameters_are_bounded() {
    let bounds = |item: &str| {
        let input = syn::parse_str(item).expect("the test writes an item");
        let tokens = expand(&input).expect("there is no mistake").to_string();
        tokens.split_once(" where ").map(|(_, bounds)| bounds.split_once(" {").expect("a body follows").0.to_owned())
    };
    assert_eq!(bounds("#[classify(forward)] struct S(E);"), None);
    assert_eq!(bounds("#[classify(forward)] struct S<const N: usize>([E; N]);"), None);
    assert_eq!(
        bounds("#[classify(forward)] struct S<E>(Inner<[E; 2]>);").as_deref(),
        Some("Inner < [E ; 2] > : :: redress :: classify :: Classify")
    );
    assert_eq!(bounds("#[classify(Auth)] struct S<E>(E);"), None);
}
