//! What happened, in a sentence or two.

use crate::outline::Phase;
use crate::report::Report;
use crate::second::Second;
use crate::span::Readable;

/// Whether the calls recovered, and what they cost.
pub(crate) fn headline(report: &Report) -> String {
    let label = capital(&report.label);
    if report.outline.trouble.is_none() {
        let all = report.total();
        return format!("{label}: {} of the calls succeed, with {} attempts a call.", success(&all), each(&all));
    }
    let recovery = match report.recovery() {
        Some(time) if time.is_zero() => "calls recover at once when the trouble ends".to_owned(),
        Some(time) => format!("calls recover {} after the trouble", Readable(time)),
        None => {
            let after = report.phase(Phase::After).len();
            format!("calls do not recover within {after} s after the trouble")
        }
    };
    let during = report.sum(report.phase(Phase::During));
    format!("{label}: {recovery}. During it {} succeed, with {} attempts a call.", success(&during), each(&during))
}

/// The share of the calls that succeeded.
pub(crate) fn success(seconds: &Second) -> String {
    share(seconds.good, seconds.offered)
}

/// The number of attempts for each call.
pub(crate) fn each(seconds: &Second) -> String {
    if seconds.offered == 0 {
        "no".to_owned()
    } else {
        format!("{:.2}", seconds.attempts as f64 / seconds.offered as f64)
    }
}

/// A share in percent, which is 100 or 0 only if it is exactly so.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "none".to_owned();
    }
    let tenths = (u128::from(part) * 1000 / u128::from(whole)) as u64;
    match tenths {
        0 if part > 0 => "< 0.1 %".to_owned(),
        0 | 1000 => format!("{} %", tenths / 10),
        _ => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

/// A number with a comma before each three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
