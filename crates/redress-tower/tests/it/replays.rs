//! The request of each attempt: the original or a replay.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress_core::classify::result_classifier;
use redress_core::{Attempt, ErrorClass, OutcomeSummary, StopReason};
use redress_tokio::AsyncPolicy;
use redress_tower::{CloneRequest, PolicyLayer, Protocol, policy_provider, replay_with};
use tower::{Layer as _, Service as _};

use crate::service::{Scripted, at_once, policy, reset};

/// Counts how often it was cloned.
#[derive(Default)]
struct Counted(Arc<AtomicU32>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

async fn clones(attempts: u32, answers: Vec<Result<u32, io::Error>>) -> u32 {
    let request = Counted::default();
    let count = Arc::clone(&request.0);
    let _ = PolicyLayer::new(policy(attempts)).layer(Scripted::new(answers)).call(request).await;
    count.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_request_is_cloned_only_where_another_attempt_may_come() {
    assert_eq!(clones(1, vec![Ok(7)]).await, 0);
    assert_eq!(clones(1, vec![Err(reset())]).await, 0);
    assert_eq!(clones(3, vec![Ok(7)]).await, 1);
    assert_eq!(clones(3, vec![Err(reset()), Ok(7)]).await, 2);
    assert_eq!(clones(3, vec![Err(reset()), Err(reset()), Err(reset())]).await, 2);
}

#[tokio::test]
async fn a_request_that_cannot_be_replayed_is_sent_once_and_the_outcome_says_so() {
    let protocol = replay_with(|_: &u32| Err("upload"));
    let scripted = Scripted::<u32, u32>::new([Err(reset())]);
    let service = PolicyLayer::new(policy(3)).protocol(protocol).layer(scripted.clone());
    let outcome = service.execute_in(service.policy().context(), 7).await;
    assert_eq!(outcome.stop_reason(), Some(StopReason::RetryForbidden));
    assert_eq!((outcome.retry_forbidden(), outcome.attempts()), (Some("upload"), 1));
    assert_eq!(scripted.seen(), [7]);

    let mut service = PolicyLayer::once(policy(3)).layer(Scripted::<u32, u32>::new([Err(reset())]));
    let error = service.call(7).await.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::RetryForbidden, 1));
}

#[tokio::test]
async fn a_failure_that_ends_the_call_anyway_keeps_its_own_reason() {
    let gone = io::Error::from(ErrorKind::PermissionDenied);
    let service = PolicyLayer::once(policy(3)).layer(Scripted::<u32, u32>::new([Err(gone)]));
    let outcome = service.execute_in(service.policy().context(), 7).await;
    assert_eq!(outcome.stop_reason(), Some(StopReason::NonRetryableClass));
    assert_eq!(outcome.retry_forbidden(), None);

    let service = PolicyLayer::once(policy(1)).layer(Scripted::<u32, u32>::new([Err(reset())]));
    let outcome = service.execute_in(service.policy().context(), 7).await;
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttempts));
}

/// Records a protocol's calls, in order.
#[derive(Clone, Default)]
struct Noting(Arc<Mutex<Vec<String>>>);

impl Noting {
    fn note(&self, note: impl Into<String>) {
        self.0.lock().unwrap().push(note.into());
    }
}

impl Protocol<String, u32> for Noting {
    fn replay(&self, request: &String) -> Result<String, &'static str> {
        self.note(format!("replay {request}"));
        Ok(request.clone())
    }

    fn operation(&self, request: &String) -> Option<std::borrow::Cow<'static, str>> {
        self.note("operation");
        Some(format!("send {request}").into())
    }

    fn bypasses(&self, request: &String) -> bool {
        request == "skipped"
    }

    fn prepare(&self, request: &mut String, attempt: Attempt) {
        request.push_str(&format!("/{}/{:?}", attempt.number(), attempt.time_left().unwrap_or_default()));
    }

    fn discard(&self, response: &mut u32) {
        self.note(format!("discard {response}"));
    }

    fn ended(&self, response: &mut u32, summary: &OutcomeSummary) {
        self.note(format!("ended {response}, ok {}, attempts {}", summary.is_ok(), summary.attempts()));
        *response += 1;
    }
}

/// From 500 on a response is bad.
fn judging() -> redress_core::policy::PolicyBuilder<
    impl redress_core::Classifier<u32, io::Error> + Clone,
    redress_core::policy::Async<redress_tokio::TokioTimer>,
> {
    AsyncPolicy::builder()
        .retry(at_once().max_attempts(2))
        .attempt_timeout(Duration::from_secs(3))
        .classifier(result_classifier(|response: &u32| (*response >= 500).then_some(ErrorClass::ServerError)))
}

#[tokio::test]
async fn each_attempt_sends_a_copy_of_the_request_as_it_came() {
    let (noting, scripted) = (Noting::default(), Scripted::<String, u32>::new([Ok(500), Ok(200)]));
    let policy = judging().build().unwrap();
    let mut service = PolicyLayer::new(policy).protocol(noting.clone()).layer(scripted.clone());
    assert_eq!(service.call("a".to_owned()).await.unwrap(), 201);
    assert_eq!(scripted.seen(), ["a/1/3s", "a/2/3s"]);
    let notes = noting.0.lock().unwrap().clone();
    assert_eq!(notes, ["replay a", "discard 500", "ended 200, ok true, attempts 2"], "unheard names are not asked for");
}

#[tokio::test]
async fn a_bad_response_that_is_given_up_on_is_the_response() {
    let (noting, scripted) = (Noting::default(), Scripted::<String, u32>::new([Ok(500), Ok(501)]));
    let policy = judging().build().unwrap();
    let mut service = PolicyLayer::new(policy).protocol(noting.clone()).layer(scripted);
    assert_eq!(service.call("a".to_owned()).await.unwrap(), 502);
    let notes = noting.0.lock().unwrap().clone();
    assert_eq!(notes, ["replay a", "discard 500", "ended 501, ok false, attempts 2"]);
}

#[tokio::test]
async fn a_watched_call_has_the_name_the_protocol_gives() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&heard);
    let observed = judging().observer(move |event: &redress_core::Event<'_>| {
        events.lock().unwrap().push((event.name.as_str(), event.operation.as_deref().map(str::to_owned)));
    });
    let policy = observed.build().unwrap();
    let scripted = Scripted::<String, u32>::new([Ok(200), Ok(500)]);
    let mut service = PolicyLayer::new(policy).protocol(Noting::default()).layer(scripted);
    service.call("a".to_owned()).await.unwrap();
    assert_eq!(*heard.lock().unwrap(), [("success", Some("send a".to_owned()))]);
    service.call("skipped".to_owned()).await.unwrap();
    assert_eq!(heard.lock().unwrap().len(), 1, "what is skipped is not heard of");
}

#[tokio::test]
async fn a_provider_chooses_a_policy_for_each_request() {
    let (once, twice) = (policy(1), policy(2));
    let provider = policy_provider(move |request: &u32| if *request == 1 { once.clone() } else { twice.clone() });
    let scripted = Scripted::<u32, u32>::new([Err(reset()), Err(reset()), Ok(7)]);
    let mut service = PolicyLayer::new(provider).protocol(CloneRequest::default()).layer(scripted.clone());
    assert!(service.call(1).await.is_err());
    assert_eq!(service.call(2).await.unwrap(), 7);
    assert_eq!(scripted.seen(), [1, 2, 2]);
}
