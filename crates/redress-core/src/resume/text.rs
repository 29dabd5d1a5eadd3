//! The text of a [`ResumeToken`]: `rd1.` and, in base 32 (RFC 4648, in lower case, without
//! padding), the numbers of version 1 and a check.
//!
//! Version 1 is a sequence of variable-length integers (seven bits a byte, the lowest first, as in
//! LEB128): attempts; the failures of the classes in [`CLASSES`]; then in nanoseconds the previous
//! delay plus one, or zero if there is none; the elapsed time; the instant of the deferral; and the
//! wall deadline plus one, or zero. Four bytes follow, the hash of the policy's name, and two of
//! check. At most 67 bytes, or 112 characters.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use super::token::ResumeToken;
use crate::classify::class::ErrorClass;
use crate::drive::clock::nanos;
use crate::engine::Failures;

const VERSION_1: &str = "rd1.";
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The order of the classes in version 1, which does not depend on the order of the enum.
const CLASSES: [ErrorClass; 5] = [
    ErrorClass::Concurrency,
    ErrorClass::RateLimit,
    ErrorClass::ServerError,
    ErrorClass::Transient,
    ErrorClass::Unknown,
];

/// The error for a text that is not a [`ResumeToken`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResumeTokenError {
    /// It does not begin with `rd1.`: another version of redress wrote it, or it is something else.
    #[error("a resume token begins with `rd1.`")]
    Version,
    /// It is too short or too long, has other characters, or was changed.
    #[error("the resume token is damaged")]
    Damaged,
}

impl fmt::Display for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION_1)?;
        f.write_str(&base32(&self.to_bytes()))
    }
}

impl FromStr for ResumeToken {
    type Err = ResumeTokenError;

    fn from_str(text: &str) -> Result<Self, ResumeTokenError> {
        let numbers = text.strip_prefix(VERSION_1).ok_or(ResumeTokenError::Version)?;
        let bytes = from_base32(numbers).ok_or(ResumeTokenError::Damaged)?;
        Self::from_bytes(&bytes).ok_or(ResumeTokenError::Damaged)
    }
}

impl ResumeToken {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(67);
        push(&mut bytes, u64::from(self.attempts));
        for class in CLASSES {
            push(&mut bytes, u64::from(self.failures.of(class)));
        }
        push(&mut bytes, optional(self.prev_delay));
        push(&mut bytes, nanos(self.elapsed));
        push(&mut bytes, nanos(self.deferred_at));
        push(&mut bytes, optional(self.wall_deadline));
        bytes.extend(self.policy.to_le_bytes());
        bytes.extend(check(&bytes));
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, written) = bytes.split_last_chunk::<2>()?;
        if check(numbers) != *written {
            return None;
        }
        let (mut numbers, policy) = numbers.split_last_chunk::<4>()?;
        let mut next = || take(&mut numbers);
        let attempts = u32::try_from(next()?).ok()?;
        let mut failures = Failures::default();
        for class in CLASSES {
            failures.set(class, u16::try_from(next()?).ok()?);
        }
        let token = Self {
            attempts,
            failures,
            prev_delay: next()?.checked_sub(1).map(Duration::from_nanos),
            elapsed: Duration::from_nanos(next()?),
            deferred_at: Duration::from_nanos(next()?),
            wall_deadline: next()?.checked_sub(1).map(Duration::from_nanos),
            policy: u32::from_le_bytes(*policy),
        };
        numbers.is_empty().then_some(token)
    }
}

fn optional(time: Option<Duration>) -> u64 {
    time.map_or(0, |time| nanos(time).saturating_add(1))
}

fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for place in 0..10 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        // One text for each number: the tenth byte has room for one bit, and no last byte is idle.
        if (place == 9 && bits > 1) || (place > 0 && byte == 0) {
            return None;
        }
        number |= bits << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Fletcher's sum in 16 bits (RFC 1146, appendix I, modulo 255): finds what a queue or a terminal
/// cuts off or changes, and is no protection against forgery.
fn check(bytes: &[u8]) -> [u8; 2] {
    let sums = bytes.iter().fold((0_u32, 0_u32), |(sum, sums), &byte| {
        let sum = (sum + u32::from(byte)) % 255;
        (sum, (sums + sum) % 255)
    });
    [sums.0.to_le_bytes()[0], sums.1.to_le_bytes()[0]]
}

fn base32(bytes: &[u8]) -> String {
    bytes
        .chunks(5)
        .flat_map(|chunk| {
            let mut group = [0; 8];
            group[3..3 + chunk.len()].copy_from_slice(chunk);
            let group = u64::from_be_bytes(group);
            let digits = (chunk.len() * 8).div_ceil(5);
            (0..digits).map(move |digit| char::from(ALPHABET[(group >> (35 - 5 * digit)) as usize & 31]))
        })
        .collect()
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for chunk in text.as_bytes().chunks(8) {
        let mut group = 0_u64;
        for (digit, &letter) in chunk.iter().enumerate() {
            let value = ALPHABET.iter().position(|known| *known == letter)?;
            group |= (value as u64) << (35 - 5 * digit);
        }
        let whole = chunk.len() * 5 / 8;
        let decoded = group.to_be_bytes();
        // One text for each token: no spare digit, and no bit set beyond the last byte.
        if (whole * 8).div_ceil(5) != chunk.len() || decoded[3 + whole..].iter().any(|&byte| byte != 0) {
            return None;
        }
        bytes.extend(&decoded[3..3 + whole]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{push, take};

    #[test]
    fn every_number_has_one_text() {
        for number in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u64::MAX >> 1, u64::MAX] {
            let mut bytes = Vec::new();
            push(&mut bytes, number);
            let mut rest = &bytes[..];
            assert_eq!((take(&mut rest), rest), (Some(number), &[][..]), "{bytes:x?}");
        }
        let too_large = [&[0xff; 9][..], &[0x02]].concat();
        let endless = [0xff; 11];
        for refused in [&too_large[..], &endless, &[0xff, 0x00], &[0x80], &[]] {
            assert_eq!(take(&mut { refused }), None, "{refused:x?}");
        }
    }
}
