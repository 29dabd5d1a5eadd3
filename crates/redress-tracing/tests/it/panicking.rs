//! A subscriber that panics in any callback, which must neither change a call nor abort the
//! process.

use std::future::{pending, ready};
use std::io::{Error, ErrorKind};
use std::time::Duration;

use redress_core::{Policy, Retry, StopReason, fixed};
use redress_tokio::AsyncPolicy;
use redress_tracing::TracingObserver;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    NewSpan,
    Enter,
    Exit,
    Record,
    Event,
    Close,
    /// At every moment except `NewSpan`, without which the others do not occur.
    Anywhere,
}

struct Panicking(Moment);

impl Panicking {
    fn at(&self, moment: Moment) {
        let is_now = self.0 == moment || (self.0 == Moment::Anywhere && moment != Moment::NewSpan);
        assert!(!is_now, "on purpose, at {moment:?}");
    }
}

impl<S: Subscriber> Layer<S> for Panicking {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.at(Moment::NewSpan);
    }

    fn on_enter(&self, _: &Id, _: Context<'_, S>) {
        self.at(Moment::Enter);
    }

    fn on_exit(&self, _: &Id, _: Context<'_, S>) {
        self.at(Moment::Exit);
    }

    fn on_record(&self, _: &Id, _: &Record<'_>, _: Context<'_, S>) {
        self.at(Moment::Record);
    }

    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        self.at(Moment::Event);
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        self.at(Moment::Close);
    }
}

const MOMENTS: [Moment; 7] =
    [Moment::NewSpan, Moment::Enter, Moment::Exit, Moment::Record, Moment::Event, Moment::Close, Moment::Anywhere];

fn retry() -> redress_core::policy::RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3)
}

#[test]
fn blocking_calls() {
    for moment in MOMENTS {
        let policy = Policy::builder().retry(retry()).observer(TracingObserver::new()).build().unwrap();
        let subscriber = tracing_subscriber::registry().with(Panicking(moment));
        let (mut runs, outcome) = (0, ());
        let outcome = tracing::subscriber::with_default(subscriber, || {
            let () = outcome;
            policy.operation("op").execute(|| {
                runs += 1;
                Err::<(), _>(Error::from(ErrorKind::ConnectionReset))
            })
        });
        assert_eq!((outcome.stop_reason(), runs), (Some(StopReason::MaxAttempts), 3), "{moment:?}");
    }
}

#[tokio::test]
async fn asynchronous_calls_that_end_and_that_are_dropped() {
    for moment in MOMENTS {
        let policy = AsyncPolicy::builder().retry(retry()).observer(TracingObserver::new()).build().unwrap();
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(Panicking(moment)));
        let mut runs = 0;
        let operation = || {
            runs += 1;
            let succeeds = runs == 3;
            async move { if succeeds { Ok(7) } else { Err(Error::from(ErrorKind::ConnectionReset)) } }
        };
        assert_eq!(policy.call(operation).await.unwrap(), 7, "{moment:?}");
        tokio::select! {
            biased;
            _ = policy.call(pending::<Result<(), Error>>) => unreachable!("it never ends"),
            () = ready(()) => {}
        }
    }
}

/// The call is dropped while the operation's panic unwinds; a second panic would abort the process.
#[test]
fn calls_whose_operation_panics() {
    for moment in MOMENTS {
        let policy = Policy::builder().observer(TracingObserver::new()).build().unwrap();
        let subscriber = tracing_subscriber::registry().with(Panicking(moment));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            tracing::subscriber::with_default(subscriber, || {
                policy.call(|| -> Result<(), Error> { std::panic::panic_any("the operation's own") })
            })
        }));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"the operation's own"), "{moment:?}");
    }
}
