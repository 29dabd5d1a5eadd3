//! Arbitrary codes, headers and statuses: a classification for any of them, with bounded details.

use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::retry::ErrorKind;
use proptest::prelude::*;
use redress::integration::aws::code;

use crate::made::{classify, modelled, response};

fn any_code() -> impl Strategy<Value = String> {
    let known =
        prop::sample::select(vec!["SlowDown", "a#ThrottlingException:b", "TransactionInProgressException", "#", ":"]);
    prop_oneof![known.prop_map(str::to_owned), any::<String>(), "[A-Za-z.#:_-]{0,80}"]
}

fn any_value() -> impl Strategy<Value = String> {
    let likely =
        prop::sample::select(vec!["0", "250", "-1", "1e9", "18446744073709551616", "Sun, 06 Nov 1994 08:49:37 GMT"]);
    prop_oneof![likely.prop_map(str::to_owned), any::<u64>().prop_map(|number| number.to_string()), "[ -~]{0,12}"]
}

fn any_kind() -> impl Strategy<Value = Option<ErrorKind>> {
    use ErrorKind::{ClientError, ServerError, ThrottlingError, TransientError};
    prop::option::of(prop::sample::select(vec![ClientError, ServerError, ThrottlingError, TransientError]))
}

proptest! {
    #[test]
    fn every_answer_has_a_class(
        text in any_code(),
        status in 100_u16..=999,
        kind in any_kind(),
        amz in prop::option::of(any_value()),
        retry_after in prop::option::of(any_value()),
    ) {
        let answer = || {
            let mut answer = response(status, &[]);
            for (name, value) in [("x-amz-retry-after", &amz), ("retry-after", &retry_after)] {
                if let Some(value) = value {
                    answer.headers_mut().append(name, value.clone());
                }
            }
            answer
        };
        let failure = classify(&modelled(&text, kind, answer()));
        if let Some(class) = code::class(&text) {
            prop_assert_eq!(failure.class(), class);
        }
        if let Some(label) = failure.detail("aws") {
            prop_assert!(label.len() <= 64 && text.contains(label));
        }
        if !failure.class().is_retryable() {
            prop_assert_eq!(failure.retry_after(), None);
        } else if let Some(wait) = amz.as_ref().and_then(|value| value.trim().parse().ok()).map(Duration::from_millis) {
            prop_assert!(failure.retry_after() >= Some(wait));
        }
        prop_assert!(!failure.is_abort());
        let cut = classify(&SdkError::response_error("cut off", answer()));
        prop_assert_eq!(cut.detail("status").map(str::len), Some(3));
    }
}
