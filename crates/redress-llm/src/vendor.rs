//! Classifies a response or an event by a vendor's table of types and codes, in the order that both
//! vendors share.

use std::time::SystemTime;

use http::{HeaderMap, StatusCode};
use redress_core::{Classification, ErrorClass};
use redress_http::classify_status;

use crate::body::Report;
use crate::hint::Limits;
use crate::stream::Output;

/// The reason of a retry that `x-should-retry` forbids.
const REFUSED: &str = "x_should_retry";

/// The detail of a quota.
const QUOTA: &str = "quota";

/// The detail of any other known type or code.
const ERROR: &str = "error";

/// What a vendor's errors mean.
pub(crate) struct Vendor {
    pub(crate) words: &'static [Word],
    pub(crate) limits: Limits,
}

/// A type or code of an error.
pub(crate) struct Word {
    name: &'static str,
    class: ErrorClass,
    weight: Weight,
}

/// Against which statuses a word counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Where the status says no more than that the request was refused.
    Plain,
    /// Under any status.
    Heavy,
    /// Where the status is a rate limit or a refusal: no wait helps.
    Quota,
}

impl Word {
    pub(crate) const fn plain(name: &'static str, class: ErrorClass) -> Self {
        Self { name, class, weight: Weight::Plain }
    }

    pub(crate) const fn heavy(name: &'static str, class: ErrorClass) -> Self {
        Self { name, class, weight: Weight::Heavy }
    }

    pub(crate) const fn quota(name: &'static str) -> Self {
        Self { name, class: ErrorClass::Permanent, weight: Weight::Quota }
    }

    /// `reason` is what the status says besides that the request was refused.
    fn applies_to(&self, reason: Option<ErrorClass>) -> bool {
        match self.weight {
            Weight::Heavy => true,
            Weight::Plain => reason.is_none(),
            Weight::Quota => matches!(reason, None | Some(ErrorClass::RateLimit)),
        }
    }

    fn failure(&self) -> Classification {
        let key = if self.weight == Weight::Quota { QUOTA } else { ERROR };
        Classification::new(self.class).with_detail(key, self.name)
    }
}

/// A 402 without a known word.
const PAYMENT_REQUIRED: Word = Word::quota("payment_required");

impl Vendor {
    pub(crate) fn classify(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Option<Classification> {
        if status.as_u16() < 400 {
            return None;
        }
        let by_status = classify_status(status);
        let is_mere_refusal = status.is_client_error() && by_status == Some(ErrorClass::Permanent);
        let reason = by_status.filter(|_| !is_mere_refusal);
        let word = Report::parse(body).and_then(|report| self.word(&report, reason));
        let word = word.or_else(|| (status == StatusCode::PAYMENT_REQUIRED).then_some(&PAYMENT_REQUIRED));
        let failure = match word {
            Some(word) => word.failure(),
            None => by_status.unwrap_or(ErrorClass::Unknown).into(),
        };
        let is_quota = word.is_some_and(|word| word.weight == Weight::Quota);
        let failure = obey(headers, failure, is_quota);
        let failure = self.with_hint(headers, now, with_status(status, headers, failure));
        Some(failure)
    }

    pub(crate) fn classify_event(&self, data: &[u8], output: Output) -> Option<Classification> {
        let report = Report::of_event(data)?;
        let failure = self.word(&report, None).map_or_else(|| ErrorClass::Unknown.into(), Word::failure);
        Some(output.judge(failure))
    }

    /// The word that decides: a quota in any place, else the most specific.
    fn word(&self, report: &Report, reason: Option<ErrorClass>) -> Option<&'static Word> {
        let known = |name: &str| self.words.iter().find(|word| word.name == name && word.applies_to(reason));
        let mut quotas = report.words().filter_map(known).filter(|word| word.weight == Weight::Quota);
        quotas.next().or_else(|| report.words().find_map(known))
    }

    fn with_hint(&self, headers: &HeaderMap, now: SystemTime, failure: Classification) -> Classification {
        if !failure.class().is_retryable() {
            return failure;
        }
        match self.limits.hint(headers, now, failure.class() == ErrorClass::RateLimit) {
            Some(hint) => failure.with_retry_after(hint.wait).with_detail("retry_after_source", hint.source),
            None => failure,
        }
    }
}

/// Obeys `x-should-retry`, which the vendors' own clients put before the status. A quota stays one.
fn obey(headers: &HeaderMap, failure: Classification, is_quota: bool) -> Classification {
    match headers.get("x-should-retry").map(|value| value.as_bytes().trim_ascii()) {
        Some(b"false") => failure.forbid_retry(REFUSED),
        Some(b"true") if !is_quota && !failure.class().is_retryable() => {
            let known = failure.detail(ERROR).map(str::to_owned);
            let failure = Classification::new(ErrorClass::Transient);
            known.into_iter().fold(failure, |failure, known| failure.with_detail(ERROR, known))
        }
        _ => failure,
    }
}

/// Adds the status, and the mark of a request that was certainly not acted on.
fn with_status(status: StatusCode, headers: &HeaderMap, failure: Classification) -> Classification {
    let failure = failure.with_detail("status", status.as_str().to_owned());
    let is_unsent =
        redress_http::classify(status, headers, SystemTime::UNIX_EPOCH).is_some_and(|plain| plain.is_unsent());
    if is_unsent { failure.unsent() } else { failure }
}
