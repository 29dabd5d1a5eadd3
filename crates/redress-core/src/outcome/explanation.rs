//! [`Explanation`]: why a call ended as it did, as data and as text.
//!
//! Made after the call, from what its summary, error or timeline keep.

use std::fmt;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::outcome::call_error::CallError;
use crate::outcome::change::Change;
use crate::outcome::decision::{Decision, Gate};
use crate::outcome::error_text::words;
use crate::outcome::event::EventName;
use crate::outcome::failure::Cause;
use crate::outcome::readable_duration::Readable;
use crate::outcome::stop_reason::StopReason;
use crate::outcome::summary::OutcomeSummary;
use crate::outcome::timeline::{RetryTimeline, TimelineEvent};

/// Why a call ended as it did. Returned by
/// [`RetryOutcome::explain`](crate::RetryOutcome::explain),
/// [`CallError::explain`](crate::CallError::explain),
/// [`OutcomeSummary::explain`](crate::OutcomeSummary::explain) and
/// [`RetryTimeline::explain`](crate::RetryTimeline::explain).
///
/// `Display` prints one line for each step: what happened, in the order of attempts if there is a
/// timeline, what the gate that ended the call compared, and the nearest setting that would have
/// let that gate pass. The text has no line break at its end.
///
/// It never says that the call would have succeeded: another gate may end it there, and the next
/// attempt may fail.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use std::time::Duration;
/// use redress::{Policy, Retry, fixed};
///
/// let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
/// let policy = Policy::builder().retry(retry).build()?;
/// let error = policy.operation("load").call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset))).unwrap_err();
/// assert_eq!(
///     error.explain().to_string(),
///     "load failed (transient): the attempts allowed were used up.\n\
///      3 attempts were made.\n\
///      What ended the call: 3 attempts are allowed, and 3 were made.\n\
///      This check would have passed with retry.max_attempts = 4."
/// );
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// How the call ended, as its error prints it.
    pub ending: String,
    /// The number of attempts started.
    pub attempts: u32,
    /// Time from the start of the call to its end, if it is known. An error does not keep it.
    pub elapsed: Option<Duration>,
    /// The entries of the timeline, if one was captured.
    pub steps: Vec<TimelineEvent>,
    /// Why the call ended without success; `None` after a success, and for a call that was dropped.
    pub stop_reason: Option<StopReason>,
    /// The class of the last failure.
    pub last_class: Option<ErrorClass>,
    /// How long to wait before calling again, if it is known.
    pub retry_in: Option<Duration>,
    /// What the gate that ended the call compared. `None` after a success, and for an outcome that
    /// no policy made.
    pub decision: Option<Decision>,
    /// The nearest setting that would have let that gate pass; `None` if no setting does.
    pub change: Option<Change>,
}

impl Explanation {
    /// The explanation of a call from its summary, with the entries of its timeline.
    pub(crate) fn of_summary(summary: &OutcomeSummary, timeline: Option<&RetryTimeline>) -> Self {
        Self {
            ending: summary.to_string(),
            attempts: summary.attempts(),
            elapsed: Some(summary.elapsed()),
            steps: timeline.map(RetryTimeline::events).unwrap_or_default(),
            stop_reason: summary.stop_reason(),
            last_class: summary.last_class(),
            retry_in: summary.retry_in(),
            decision: summary.decision(),
            change: summary.decision().and_then(|decision| Change::nearest(&decision, summary.last_class())),
        }
    }

    pub(crate) fn of_error<E>(error: &CallError<E>) -> Self {
        Self {
            ending: error.text(),
            attempts: error.attempts(),
            elapsed: None,
            steps: Vec::new(),
            stop_reason: Some(error.stop_reason()),
            last_class: error.last_class(),
            retry_in: error.retry_in(),
            decision: error.decision(),
            change: error.decision().and_then(|decision| Change::nearest(&decision, error.last_class())),
        }
    }

    pub(crate) fn of_timeline(timeline: &RetryTimeline) -> Self {
        let steps = timeline.events();
        let last = steps.last();
        let decision = last.and_then(|last| last.decision).filter(|decision| decision.gate() != Gate::AttemptTimeout);
        let last_class = steps.iter().rev().find_map(|step| step.error_class);
        Self {
            ending: ending_of(last),
            attempts: last.map_or(0, |last| last.attempt),
            elapsed: last.map(|last| last.elapsed),
            stop_reason: last.and_then(|last| last.stop_reason),
            last_class,
            retry_in: last.filter(|last| last.event == EventName::Scheduled).map(|last| last.delay),
            change: decision.and_then(|decision| Change::nearest(&decision, last_class)),
            decision,
            steps,
        }
    }

    fn fmt_attempts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempts {
            0 => f.write_str("No attempt was made"),
            1 => f.write_str("1 attempt was made"),
            attempts => write!(f, "{attempts} attempts were made"),
        }?;
        match self.elapsed {
            Some(elapsed) => write!(f, " in {}.", Readable(elapsed)),
            None => f.write_str("."),
        }
    }

    fn fmt_steps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before: Option<&TimelineEvent> = None;
        for step in &self.steps {
            write!(f, "\nAt {}: {}", Readable(step.elapsed), StepText { step, before })?;
            before = Some(step);
        }
        Ok(())
    }

    /// The wait that did not fit the deadline, and why it is that long.
    fn fmt_wait(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unfit = self.decision.filter(|decision| decision.gate() == Gate::DeadlineWait);
        let Some((_, actual)) = unfit.and_then(|decision| decision.numbers()) else { return Ok(()) };
        if let Some(elapsed) = self.elapsed {
            let wait = Duration::from_nanos(actual).saturating_sub(elapsed);
            write!(f, "\nThe wait before the next attempt would have been {}.", Readable(wait))?;
        }
        match self.retry_in {
            Some(hint) => write!(f, "\nThe service asked for a wait of {}.", Readable(hint)),
            None => Ok(()),
        }
    }

    fn fmt_change(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(decision) = self.decision else { return Ok(()) };
        match (self.change, decision.gate()) {
            (Some(change), Gate::Deadline) => {
                write!(
                    f,
                    "\nThis check would have passed with {change}. The wait before the next attempt comes on top."
                )
            }
            (Some(change), _) => write!(f, "\nThis check would have passed with {change}."),
            (None, Gate::Class) => f.write_str("\nNo setting changes that: the classifier decides the class."),
            (None, Gate::Forbidden) => f.write_str("\nNo setting changes that: the failure itself forbids it."),
            (None, Gate::DeadlineCut) => {
                f.write_str("\nA later deadline gives the attempt more time. How much it needed is not known.")
            }
            (None, _) => Ok(()),
        }
    }

    fn fmt_next(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.stop_reason, self.retry_in) {
            (Some(StopReason::CircuitOpen), Some(wait)) => {
                write!(f, "\nThe circuit breaker lets the next call through in {}.", Readable(wait))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}.", self.ending)?;
        self.fmt_attempts(f)?;
        self.fmt_steps(f)?;
        if let Some(decision) = &self.decision {
            write!(f, "\nWhat ended the call: {decision}.")?;
        }
        self.fmt_wait(f)?;
        self.fmt_change(f)?;
        self.fmt_next(f)
    }
}

/// How the call ended whose last event this is.
fn ending_of(last: Option<&TimelineEvent>) -> String {
    match last {
        None => "nothing is recorded of the call".to_owned(),
        Some(last) => match (last.event, last.stop_reason) {
            (EventName::Success, _) => "the call succeeded".to_owned(),
            (EventName::Cancelled, _) => "the call was dropped before it ended".to_owned(),
            (_, Some(reason)) => format!("the call ended: {}", reason.description()),
            (_, None) => "the call has not ended".to_owned(),
        },
    }
}

/// What one entry of a timeline says.
struct StepText<'a> {
    step: &'a TimelineEvent,
    before: Option<&'a TimelineEvent>,
}

impl fmt::Display for StepText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, before } = self;
        let number = step.attempt;
        // The failure of an attempt that was granted a retry has an entry already.
        let between = before.is_some_and(|before| before.event == EventName::Retry && before.attempt == number);
        match step.event {
            EventName::Success => return write!(f, "attempt {number} succeeded."),
            EventName::Aborted => return f.write_str("the call was aborted."),
            EventName::Cancelled => return f.write_str("the call was dropped."),
            EventName::Scheduled if between => {
                return write!(f, "the retry was put off by {}.", Readable(step.delay));
            }
            _ if number == 0 => return f.write_str("the call ended before its first attempt."),
            _ if between => return write!(f, "the call ended before attempt {}.", number.saturating_add(1)),
            _ => write!(f, "attempt {number} ")?,
        }
        f.write_str(match step.cause {
            Some(Cause::Timeout) => "timed out",
            Some(Cause::Result) => "returned a value that counts as a failure",
            _ => "failed",
        })?;
        if let (Some(decision), EventName::Retry) = (step.decision, step.event) {
            if let (Gate::AttemptTimeout, Some(limit)) = (decision.gate(), decision.limit()) {
                write!(f, " after {limit}")?;
            }
        }
        if let Some(class) = step.error_class {
            write!(f, " ({})", words(class))?;
        }
        match step.event {
            EventName::Retry if step.delay.is_zero() => f.write_str(", and the next one follows at once."),
            EventName::Retry => write!(f, ", and the next one follows after {}.", Readable(step.delay)),
            _ => f.write_str("."),
        }
    }
}
