//! What happened, in a sentence or two.

use std::time::Duration;

use redress_core::observe::Readable;

use crate::outline::Phase;
use crate::report::Report;
use crate::second::Second;

/// Whether the calls recovered, and what they cost.
pub(crate) fn headline(report: &Report) -> String {
    let label = &report.label;
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

/// A latency, rounded to two digits: its bucket is known, and not more.
pub(crate) fn latency(time: Duration) -> String {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let step = 10_u64.pow(nanos.checked_ilog10().unwrap_or(0).saturating_sub(1));
    Readable(Duration::from_nanos(nanos.saturating_add(step / 2) / step * step)).to_string()
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

/// A number of clients.
pub(crate) fn clients(number: u32) -> String {
    format!("{} client{}", grouped(number.into()), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::latency;

    #[test]
    fn latencies_have_two_digits() {
        let micros = [0, 850, 1_249, 1_251, 12_900, 132_100, 999_999, 2_040_000, 23_456_000, 90_400_000];
        let texts = micros.map(|micros| latency(Duration::from_micros(micros)));
        let expected = ["0 s", "850 µs", "1.2 ms", "1.3 ms", "13 ms", "130 ms", "1 s", "2 s", "23 s", "1 min 30 s"];
        assert_eq!(texts, expected);
        assert_eq!(latency(Duration::from_nanos(7)), "7 ns");
    }
}
