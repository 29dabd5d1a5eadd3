//! Records calls as a program would: through the journal, with a dependency and callers that follow
//! a plan, in virtual time.

use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use redress::observe::journal::{CallRecord, Journal, read};
use redress::testing::{VirtualClock, VirtualTimer};
use redress_core::classify::{OwnClassifier, own_classifier};
use redress_core::driver::Timer as _;
use redress_core::policy::{PolicyBreaker, PolicySpec};
use redress_core::{AbortHandle, AsyncPolicy, CircuitBreaker, Classification, Classify, ErrorClass};
use redress_sim::ClientBuilder;

/// A call of a plan.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) begins: Duration,
    pub(crate) breaker: Option<&'static str>,
    /// How each attempt is answered; the last answer is that of all further ones.
    pub(crate) answers: Vec<Answer>,
    pub(crate) leaves: Option<Leaves>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) after: Duration,
    pub(crate) result: Result<(), Refused>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaves {
    Drops(Duration),
    Aborts(Duration),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    pub(crate) class: ErrorClass,
    pub(crate) hint: Option<Duration>,
    pub(crate) forbids_retry: bool,
}

impl Classify for Refused {
    fn classification(&self) -> Classification {
        let found = Classification::new(self.class).with_retry_after(self.hint);
        if self.forbids_retry { found.forbid_retry("sent") } else { found }
    }
}

/// A writer into memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("whole").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Running<'f> = Pin<Box<dyn Future<Output = ()> + 'f>>;

/// The records of these calls through this policy.
pub(crate) fn record(spec: &PolicySpec, plan: &[Planned]) -> Vec<CallRecord> {
    let (memory, clock) = (Memory::default(), VirtualClock::new());
    let journal = Journal::builder().queue(plan.len() + 1).to_writer(memory.clone()).expect("a thread");
    let builder: ClientBuilder = AsyncPolicy::from_spec(spec.clone());
    let builder = builder.timer(clock.timer()).classifier(own_classifier());
    let policy = builder.observer(journal.clone()).build().expect("valid");
    let breaker = |name: &'static str| match &spec.breaker {
        Some(PolicyBreaker::Circuit(spec)) => {
            let breaker = CircuitBreaker::from_spec(spec.clone()).name(name).build().expect("valid");
            policy.with_circuit_breaker(breaker).expect("valid")
        }
        _ => policy.clone(),
    };
    let named = ["a", "b"].map(|name| (name, breaker(name)));
    let calls: Vec<Option<Running<'_>>> = plan
        .iter()
        .map(|planned| {
            let named = named.iter().find(|(name, _)| planned.breaker == Some(*name)).map(|(_, policy)| policy);
            let (policy, clock) = (named.unwrap_or(&policy), &clock);
            let call: Running<'_> = Box::pin(make(policy, clock, planned));
            Some(call)
        })
        .collect();
    clock.block_on(all(calls));
    journal.flush();
    let lines = memory.0.lock().expect("whole").clone();
    read(&lines[..]).map(|record| at_its_time(record.expect("a record"))).collect()
}

/// A call at its time, until its end or its caller's.
async fn make(policy: &AsyncPolicy<OwnClassifier, VirtualTimer>, clock: &VirtualClock, planned: &Planned) {
    clock.timer().sleep(planned.begins).await;
    let handle = AbortHandle::new();
    let operation = format!("{}", planned.begins.as_micros());
    let mut context = policy.operation(operation);
    if let Some(Leaves::Aborts(_)) = planned.leaves {
        context = context.abort_on(&handle);
    }
    let call = context.execute_with(|attempt| {
        let index = (attempt.number() as usize).min(planned.answers.len()) - 1;
        let Answer { after, result } = planned.answers[index];
        let sleep = clock.timer().sleep(after);
        async move {
            sleep.await;
            result
        }
    });
    let mut call = pin!(call);
    let patience = planned.leaves.map(|(Leaves::Drops(after) | Leaves::Aborts(after))| clock.timer().sleep(after));
    let mut patience = pin!(patience);
    poll_fn(|cx| {
        let is_over = patience.as_mut().as_pin_mut().is_some_and(|patience| patience.poll(cx).is_ready());
        if is_over {
            patience.set(None);
            if let Some(Leaves::Drops(_)) = planned.leaves {
                return Poll::Ready(());
            }
            handle.abort();
        }
        call.as_mut().poll(cx).map(|_| ())
    })
    .await;
}

/// The record with its virtual start, which its operation's name is.
fn at_its_time(mut record: CallRecord) -> CallRecord {
    record.at_us =
        1_795_000_000_000_000 + record.operation.take().and_then(|at| at.parse::<u64>().ok()).expect("a number");
    record
}

async fn all(mut calls: Vec<Option<Running<'_>>>) {
    poll_fn(|cx: &mut Context<'_>| {
        for call in &mut calls {
            if call.as_mut().is_some_and(|call| call.as_mut().poll(cx).is_ready()) {
                *call = None;
            }
        }
        if calls.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
