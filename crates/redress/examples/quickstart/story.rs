//! The output: attempts as they happen, a timeline for each call, and the totals, in colour and
//! within 80 columns.

use std::fmt::{Arguments, Display};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Effects, Style};
use hyper::{StatusCode, Uri};
use redress::observe::AttemptContext;
use redress::runtime::tokio::AsyncPolicy;
use redress::{Cause, Event, EventName, RetryOutcome, StopReason};

use super::chart::{LEGEND, Row};
use super::client::{self, FetchError, Page, PageClassifier};
use super::naive;
use super::scenes::{EVERY, Scene};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const NOTE: Style = AnsiColor::Yellow.on_default();
pub(crate) const DIM: Style = Style::new().effects(Effects::DIMMED);
const HEAD: Style = Style::new().effects(Effects::BOLD);

/// The shortest time that the width of a timeline represents: a call of two milliseconds is a dot.
const SHORTEST_SPAN: Duration = Duration::from_millis(500);

/// Prints a line.
macro_rules! say {
    ($story:expr, $($line:tt)+) => { $story.line(format_args!($($line)+)) };
}

/// The output. Clones write to the same stream.
#[derive(Clone)]
pub(crate) struct Story {
    screen: Arc<Mutex<dyn Write + Send>>,
}

/// A call that has ended.
pub(crate) struct Call {
    number: u32,
    began: Duration,
    outcome: RetryOutcome<Page, FetchError>,
}

/// How many requests the policy's server and the naive loop's server received.
pub(crate) struct Load {
    pub(crate) redress: u32,
    pub(crate) naive: u32,
}

impl Story {
    pub(crate) fn new(screen: impl Write + Send + 'static) -> Self {
        Self { screen: Arc::new(Mutex::new(screen)) }
    }

    /// A closed output does not stop the calls.
    fn line(&self, line: Arguments<'_>) {
        let _ = writeln!(self.screen.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
    }

    pub(crate) fn opening(&self, uri: &Uri) {
        say!(self, "{HEAD}redress quickstart{HEAD:#}: one policy between a client and {uri}\n");
        let (shortest, longest) = (client::SHORTEST_WAIT, client::LONGEST_WAIT);
        say!(
            self,
            "  retry    {} attempts at most, {:?} for each, {:?} for the whole call",
            client::MAX_ATTEMPTS,
            client::ATTEMPT_TIMEOUT,
            client::DEADLINE
        );
        say!(self, "  waits    {shortest:?} to {longest:?}, with jitter, and what Retry-After says at least");
        say!(self, "  budget   {} retries in any {:?}, for all calls together", client::BUDGET, client::BUDGET_WINDOW);
        say!(
            self,
            "  breaker  opens after {} failed calls, lets a probe through {:?} later",
            client::FAILED_CALLS,
            client::RECOVERY
        );
        say!(self, "\n  {DIM}{LEGEND}{DIM:#}\n");
    }

    pub(crate) fn scene(&self, number: u32, scene: &Scene) {
        say!(self, "{HEAD}{number}  GET {}{HEAD:#}  {}", scene.path, scene.plot);
        if scene.calls > 1 {
            say!(self, "   {} calls, one every {EVERY:?}, without waiting for those before", scene.calls);
        }
    }

    /// Returns the observer of call `number`, which starts now.
    pub(crate) fn witness(&self, number: u32, began: Duration, is_alone: bool) -> Witness {
        Witness { story: self.clone(), number, began, is_alone }
    }

    /// Prints one row per call, all to the same scale.
    pub(crate) fn timelines(&self, calls: &[Call]) {
        let is_alone = calls.len() == 1;
        if !is_alone {
            say!(self, "");
        }
        let span = calls.iter().map(Call::ended).max().unwrap_or_default().max(SHORTEST_SPAN);
        for call in calls {
            let who = who(call.number, is_alone);
            let took =
                if is_alone { format!(" in {:.3}s", call.outcome.elapsed().as_secs_f64()) } else { String::new() };
            say!(self, "   {who}{}  {}{took}", call.row(span).paint(), call.ending());
        }
        say!(self, "");
    }

    pub(crate) fn totals(&self, policy: &AsyncPolicy<PageClassifier>, calls: &[Call]) {
        let attempts: u32 = calls.iter().map(|call| call.outcome.attempts()).sum();
        let retries: u32 = calls.iter().map(|call| call.outcome.attempts().saturating_sub(1)).sum();
        let answered = calls.iter().filter(|call| call.is_answered()).count();
        say!(self, "{HEAD}Altogether{HEAD:#}");
        say!(self, "  {:>3} calls in {attempts} attempts, {retries} of them retries", calls.len());
        say!(self, "  {answered:>3} answered");
        let mut reasons: Vec<(StopReason, usize)> = Vec::new();
        for reason in calls.iter().filter_map(|call| call.outcome.stop_reason()) {
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, count)) => *count += 1,
                None => reasons.push((reason, 1)),
            }
        }
        for (reason, count) in reasons {
            say!(self, "  {count:>3} stopped: {BAD}{reason}{BAD:#}, {}", meaning(reason));
        }
        if let Some(error) = calls.iter().rev().find_map(|call| call.outcome.last_error()) {
            let levels: Vec<String> = anyhow::Chain::new(error).map(ToString::to_string).collect();
            say!(self, "  the last error: {}", levels.join(": "));
        }
        if let (Some(state), Some(budget)) = (policy.circuit_state(), policy.budget()) {
            let (left, of) = (budget.balance(), budget.capacity());
            say!(self, "  the circuit is {state}; the budget has {left} of {of} retries left\n");
        }
    }

    pub(crate) fn load<'s>(
        &self,
        scenes: impl IntoIterator<Item = (&'s Scene, Load)>,
        calls: &[Call],
        pages_of_naive: usize,
    ) {
        let mut together = Load { redress: 0, naive: 0 };
        say!(self, "{HEAD}{:<34}{:>10}{:>14}{HEAD:#}", "Requests the server saw", "redress", "naive loop");
        for (scene, load) in scenes {
            self.row(&format!("GET {}", scene.path), load.redress, load.naive);
            together.redress += load.redress;
            together.naive += load.naive;
        }
        self.row("together", together.redress, together.naive);
        let pages = calls.iter().filter(|call| call.status() == Some(StatusCode::OK)).count();
        self.row("pages served for them", pages, pages_of_naive);
        say!(
            self,
            "\n  The naive loop: {} attempts, {:?} apart, after any failure. It made the\n  \
             same calls to a twin of the server, at the same time.",
            client::MAX_ATTEMPTS,
            naive::PAUSE
        );
        say!(self, "\nYour server: cargo run -p redress --example quickstart -- http://127.0.0.1:8080/health");
    }

    fn row(&self, what: &str, redress: impl Display, naive: impl Display) {
        say!(self, "  {what:<32}{redress:>10}{naive:>14}");
    }
}

/// Observes one call and prints its attempts.
pub(crate) struct Witness {
    story: Story,
    number: u32,
    /// Time from the start of the scene to the start of the call.
    began: Duration,
    is_alone: bool,
}

impl Witness {
    pub(crate) fn attempt_ended(&self, attempt: &AttemptContext<'_>) {
        let said = match &attempt.classification {
            None => format!("{GOOD}answered{GOOD:#}"),
            Some(failure) => {
                let (class, fate) = (failure.class().to_string(), fate(attempt));
                format!("{BAD}{class:<12}{BAD:#} {fate}")
            }
        };
        self.say(attempt.elapsed, format_args!("attempt {}  {said}", attempt.attempt));
    }

    pub(crate) fn event(&self, event: &Event<'_>) {
        let said = match event.name {
            EventName::CircuitOpened => "the circuit opens: calls end here, not at the server",
            EventName::CircuitHalfOpen => "the circuit is half open: this call is the probe",
            EventName::CircuitClosed => "the circuit closes: the server is back",
            _ => return,
        };
        say!(self.story, "  {:>7}  {NOTE}{said}{NOTE:#}", "");
    }

    pub(crate) fn ended(&self, outcome: RetryOutcome<Page, FetchError>) -> Call {
        if let Some(rejection) = outcome.rejection() {
            let probe = match rejection.retry_in() {
                Some(wait) => format!("next probe in {:.3}s", wait.as_secs_f64()),
                None => "a probe is under way".to_owned(),
            };
            self.say(
                Duration::ZERO,
                format_args!("{NOTE}rejected{NOTE:#}   the circuit is {}, {probe}", rejection.state()),
            );
        }
        Call { number: self.number, began: self.began, outcome }
    }

    fn say(&self, elapsed: Duration, said: impl Display) {
        let at = (self.began + elapsed).as_secs_f64();
        let who = who(self.number, self.is_alone);
        say!(self.story, "  {at:>6.3}s  {who}{said}");
    }
}

fn who(number: u32, is_alone: bool) -> String {
    if is_alone { String::new() } else { format!("call {number:>2}  ") }
}

/// How a call continues after a failed attempt.
fn fate(attempt: &AttemptContext<'_>) -> String {
    let cut = if attempt.cause == Some(Cause::Timeout) { "cut off, " } else { "" };
    let hint = attempt.classification.as_deref().and_then(redress::Classification::retry_after);
    let asked = hint.map(|hint| format!(" ({hint:?} asked for)")).unwrap_or_default();
    match (attempt.stop_reason, attempt.delay) {
        (Some(reason), _) => format!("{cut}stop: {reason}{asked}"),
        (None, Some(wait)) => format!("{cut}again in {:.3}s{asked}", wait.as_secs_f64()),
        (None, None) => cut.to_owned(),
    }
}

fn meaning(reason: StopReason) -> &'static str {
    match reason {
        StopReason::MaxAttempts => "every attempt was used",
        StopReason::DeadlineExceeded => "the wait would not have fitted",
        StopReason::BudgetExhausted => "others had used the retries",
        StopReason::CircuitOpen => "the server was not asked",
        _ => "see `StopReason`",
    }
}

impl Call {
    pub(crate) fn is_answered(&self) -> bool {
        self.outcome.is_ok()
    }

    fn status(&self) -> Option<StatusCode> {
        self.outcome.value().map(hyper::Response::status)
    }

    fn ended(&self) -> Duration {
        self.began + self.outcome.elapsed()
    }

    fn row(&self, span: Duration) -> Row {
        let row = Row::new(span);
        match self.outcome.timeline() {
            _ if self.outcome.rejection().is_some() => row.draw_rejection(self.began),
            Some(timeline) => row.draw(self.began, timeline),
            None => row,
        }
    }

    fn ending(&self) -> String {
        match (self.status(), self.outcome.stop_reason()) {
            (Some(status), _) => format!("{GOOD}{status}{GOOD:#}"),
            (None, Some(reason)) => format!("{BAD}{reason}{BAD:#}"),
            (None, None) => String::new(),
        }
    }
}
