//! Any bytes as a resume token: as its text, and as the numbers of a text whose check is right.

use std::io::{Error, ErrorKind};
use std::sync::OnceLock;
use std::time::Duration;

use redress_core::resume::ResumeToken;
use redress_core::{Policy, Retry, SleepDecision, fixed};

/// The attempts of a call, over all of its deliveries.
const MOST_ATTEMPTS: u32 = 3;
const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";

pub(crate) fn resume_tokens(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        read(text);
    }
    read(&written(bytes));
}

fn read(text: &str) {
    let Ok(token) = text.parse::<ResumeToken>() else { return };
    assert_eq!(token.to_string().parse(), Ok(token), "{text}");
    let outcome = policy()
        .resume(token)
        .sleep_handler(|_, _| SleepDecision::Defer)
        .execute(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
    assert!(outcome.attempts() <= MOST_ATTEMPTS, "{text}: {outcome:?}");
    if let Some(next) = outcome.resume_token() {
        assert_eq!(next.attempts(), token.attempts() + 1, "{text}");
        assert!(next.elapsed() >= token.elapsed(), "{text}");
    }
}

fn policy() -> &'static Policy {
    static POLICY: OnceLock<Policy> = OnceLock::new();
    POLICY.get_or_init(|| {
        let retry = Retry::builder().strategy(fixed(Duration::from_secs(1))).max_attempts(MOST_ATTEMPTS);
        Policy::builder().retry(retry).build().expect("valid")
    })
}

/// A text with these numbers, written digit by digit from the string of their bits.
fn written(numbers: &[u8]) -> String {
    let (mut low, mut high) = (0_u32, 0_u32);
    for &byte in numbers {
        low = (low + u32::from(byte)) % 255;
        high = (high + low) % 255;
    }
    let all = numbers.iter().map(|&byte| u32::from(byte)).chain([low, high]);
    let bits: Vec<u32> = all.flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let digit = |bits: &[u32]| bits.iter().fold(0, |value, bit| value * 2 + bit) << (5 - bits.len());
    let digits = bits.chunks(5).map(|bits| char::from(ALPHABET[digit(bits) as usize]));
    format!("rd1.{}", digits.collect::<String>())
}
