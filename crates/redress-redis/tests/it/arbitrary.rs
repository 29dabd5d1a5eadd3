//! Any text as a reply: a class, and never a panic.

use proptest::prelude::*;
use redress::ErrorClass;
use redress::integration::redis::code;

use crate::client::make_extension_error;
use crate::reply::classify;

/// Texts that begin as replies do, more often than chance would.
fn line() -> impl Strategy<Value = String> {
    let code = prop::sample::select(vec![
        "LOADING",
        "EXECABORT",
        "ERR",
        "OOM",
        "-ERR",
        "-",
        "",
        " ",
        "BUSY",
        "because of: ",
        "script: ",
        "é",
    ]);
    let text = prop::sample::select(vec![
        "",
        " ",
        " because of: ",
        " because of: OOM",
        " because of: -",
        " script: ",
        " max number of clients",
        " AUTH ",
    ]);
    prop_oneof![any::<String>(), (code, text, any::<String>()).prop_map(|(a, b, c)| format!("{a}{b}{c}"))]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_three_functions_agree(line in line()) {
        let failure = code::classify(&line);
        prop_assert_eq!(failure.class(), code::class(&line).unwrap_or(ErrorClass::Unknown));
        prop_assert_eq!(failure.is_unsent(), code::is_refusal(&line));
        prop_assert_eq!(failure.detail("redis").is_some(), code::class(&line).is_some());
    }

    #[test]
    fn the_client_s_reading_is_the_table_s(code in line(), text in proptest::option::of(line())) {
        let failure = classify(&make_extension_error(code.clone(), text.clone()));
        if !code.contains(' ') && !code.starts_with('-') {
            let expected = code::classify(&format!("{code} {}", text.unwrap_or_default()));
            prop_assert_eq!(failure, expected);
        }
    }
}
