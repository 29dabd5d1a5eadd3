//! Which header says how long to wait, and which reset of several.

use std::time::Duration;

use crate::support::{of_anthropic, of_openai, typed};

fn openai(fields: &[(&str, &str)]) -> (Option<f64>, Option<String>) {
    hint(&of_openai(429, fields, ""))
}

fn anthropic(fields: &[(&str, &str)]) -> (Option<f64>, Option<String>) {
    hint(&of_anthropic(429, fields, ""))
}

fn hint(failure: &redress::Classification) -> (Option<f64>, Option<String>) {
    let source = failure.detail("retry_after_source").map(str::to_owned);
    (failure.retry_after().map(|wait| wait.as_secs_f64()), source)
}

fn by(seconds: f64, source: &str) -> (Option<f64>, Option<String>) {
    (Some(seconds), Some(source.to_owned()))
}

const NONE: (Option<f64>, Option<String>) = (None, None);

#[test]
fn milliseconds_come_before_retry_after_and_that_before_resets() {
    for of in [openai, anthropic] {
        assert_eq!(of(&[("retry-after-ms", "250"), ("retry-after", "7")]), by(0.25, "retry-after-ms"));
        assert_eq!(of(&[("retry-after-ms", "1500.5")]), by(1.5005, "retry-after-ms"));
        assert_eq!(of(&[("retry-after-ms", " 0 "), ("retry-after", "7")]), by(0.0, "retry-after-ms"));
        assert_eq!(of(&[("retry-after-ms", "-5")]), by(0.0, "retry-after-ms"));
        assert_eq!(of(&[("retry-after-ms", "+5")]), by(0.005, "retry-after-ms"));
        for unclear in ["", "soon", "5ms", "1e3", "5.", ".5", "--5", "inf", "NaN"] {
            assert_eq!(of(&[("retry-after-ms", unclear), ("retry-after", "7")]), by(7.0, "retry-after"), "{unclear}");
        }
        assert_eq!(of(&[("Retry-After", "1.5")]), by(2.0, "retry-after"));
        assert_eq!(of(&[("retry-after", "Tue, 04 Mar 2031 05:08:07 GMT")]), by(119.75, "retry-after"));
        assert_eq!(of(&[("retry-after", "later")]), NONE);
    }
    let reset = ("x-ratelimit-reset-requests", "6m0s");
    assert_eq!(openai(&[reset, ("retry-after", "9")]), by(9.0, "retry-after"));
    assert_eq!(openai(&[reset, ("retry-after", "later")]), by(360.0, "x-ratelimit-reset-requests"));
}

#[test]
fn hints_saturate() {
    let most = u64::MAX as f64;
    let digits = "9".repeat(300);
    let endless = |fields: &[(&str, &str)]| hint(&of_openai(503, fields, "")).0.expect("a hint");
    assert!(endless(&[("retry-after-ms", &digits)]) > most / 2000.0);
    assert!(endless(&[("retry-after", &digits)]) >= most);
    assert!(endless(&[("x-ratelimit-reset-tokens", &format!("{digits}h"))]) >= most);
    assert_eq!(openai(&[("retry-after-ms", &"9".repeat(309))]), NONE);
}

#[test]
fn only_a_class_that_is_retried_has_a_hint() {
    let fields = [("retry-after", "7"), ("x-ratelimit-reset-tokens", "1s")];
    for (code, seconds) in [(400, None), (401, None), (403, None), (408, Some(7.0)), (409, Some(7.0)), (500, Some(7.0))]
    {
        assert_eq!(hint(&of_openai(code, &fields, "")).0, seconds, "{code}");
        assert_eq!(hint(&of_anthropic(code, &fields, "")).0, seconds, "{code}");
    }
}

#[test]
fn of_several_limits_the_exhausted_one_counts() {
    let limits = |requests: &'static str, tokens: &'static str| {
        [
            ("x-ratelimit-remaining-requests", requests),
            ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-remaining-tokens", tokens),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ]
    };
    let (requests, tokens) = ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens");
    assert_eq!(openai(&limits("5", "0")), by(360.0, tokens));
    assert_eq!(openai(&limits("0", "5000")), by(1.0, requests));
    assert_eq!(openai(&limits("0", "00")), by(360.0, tokens), "a retry before both are back is refused");
    assert_eq!(openai(&limits("5", "500")), by(1.0, requests), "a large request needs more than is left");
    assert_eq!(openai(&limits("few", "500")), by(1.0, requests));
    assert_eq!(openai(&limits("500", "-1")), by(360.0, tokens), "no number says that it may be the one");
    assert_eq!(openai(&limits("99999999999999999999", "0")), by(360.0, tokens));
    assert_eq!(openai(&[(requests, "1s"), (tokens, "1s")]), by(1.0, requests), "the first of two alike");
    assert_eq!(openai(&[(requests, "6m0s"), (tokens, "1s")]), by(1.0, tokens));
    assert_eq!(openai(&[(requests, "junk"), (tokens, "1s")]), by(1.0, tokens));
}

#[test]
fn a_limit_with_something_left_says_nothing_about_a_server_error() {
    let left = [("x-ratelimit-remaining-tokens", "5"), ("x-ratelimit-reset-tokens", "6m0s")];
    let spent = [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s")];
    assert_eq!(hint(&of_openai(503, &left, "")), NONE);
    assert_eq!(hint(&of_openai(503, &spent, "")), by(360.0, "x-ratelimit-reset-tokens"));
    assert_eq!(hint(&of_openai(503, &spent[1..], "")), by(360.0, "x-ratelimit-reset-tokens"));

    let left = [
        ("anthropic-ratelimit-requests-remaining", "5"),
        ("anthropic-ratelimit-requests-reset", "2031-03-04T05:12:07Z"),
    ];
    assert_eq!(hint(&of_anthropic(529, &left, &typed("overloaded_error"))), NONE);
    assert_eq!(anthropic(&left), by(359.75, "anthropic-ratelimit-requests-reset"));
}

#[test]
fn each_limit_of_openai_is_read() {
    for name in ["requests", "tokens", "project-tokens"] {
        let (reset, remaining) = (format!("x-ratelimit-reset-{name}"), format!("x-ratelimit-remaining-{name}"));
        assert_eq!(openai(&[(&reset, "3s")]), by(3.0, &reset));
        let other = if name == "tokens" { "x-ratelimit-reset-requests" } else { "x-ratelimit-reset-tokens" };
        assert_eq!(openai(&[(&reset, "3s"), (&remaining, "0"), (other, "1s")]), by(3.0, &reset), "{name}");
    }
}

#[test]
fn each_limit_of_anthropic_is_read() {
    for name in ["requests", "tokens", "input-tokens", "output-tokens"] {
        let (reset, remaining) =
            (format!("anthropic-ratelimit-{name}-reset"), format!("anthropic-ratelimit-{name}-remaining"));
        let moment = "2031-03-04T05:06:09Z";
        assert_eq!(anthropic(&[(&reset, moment)]), by(1.75, &reset));
        let other = if name == "tokens" { "requests" } else { "tokens" };
        let other = format!("anthropic-ratelimit-{other}-reset");
        let fields = [(reset.as_str(), moment), (&remaining, "0"), (&other, "2031-03-04T05:06:08Z")];
        assert_eq!(anthropic(&fields), by(1.75, &reset), "{name}");
    }
}

#[test]
fn a_moment_is_read_against_the_servers_clock() {
    let reset = ("anthropic-ratelimit-requests-reset", "2031-03-04T05:12:07Z");
    let hour = ("date", "Tue, 04 Mar 2031 05:11:07 GMT");
    assert_eq!(anthropic(&[reset, hour]), by(60.0, "anthropic-ratelimit-requests-reset"));
    assert_eq!(anthropic(&[reset, ("date", "now")]), by(359.75, "anthropic-ratelimit-requests-reset"));
}

#[test]
fn a_policy_waits_for_at_most_its_cap() {
    let hour = of_openai(429, &[("x-ratelimit-reset-requests", "1h0m0s")], "");
    assert_eq!(hour.retry_after(), Some(Duration::from_secs(3600)), "not capped by the classifier");
}
