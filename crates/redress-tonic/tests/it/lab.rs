//! Policies and clients of the tests, with a virtual clock and an observer of every call.

use std::time::Duration;

use redress_core::driver::NoTimer;
use redress_core::policy::{Async, PolicyBuilder, RetryBuilder};
use redress_core::{AsyncPolicy, CircuitBreaker, ErrorClass, OutcomeSummary, Retry, StopReason, fixed, retry_after_or};
use redress_grpc_fixture::EchoClient;
use redress_testing::{Recorder, VirtualClock, VirtualTimer};
use redress_tonic::{GrpcClassifier, GrpcLayer, GrpcService, grpc_classifier, outcome};
use tonic::transport::Channel;
use tonic::{Response, Status};
use tower_layer::Layer;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) type LabPolicy = AsyncPolicy<GrpcClassifier, VirtualTimer>;
pub(crate) type LabLayer = GrpcLayer<GrpcClassifier, VirtualTimer>;
pub(crate) type LabClient = EchoClient<GrpcService<Channel, GrpcClassifier, VirtualTimer>>;

/// A clock on which waits pass at once, and an observer of every call.
#[derive(Clone, Default)]
pub(crate) struct Lab {
    pub(crate) clock: VirtualClock,
    pub(crate) recorder: Recorder,
}

impl Lab {
    /// A policy of this retry and breaker. A wait moves the clock on.
    pub(crate) fn policy_of(&self, retry: RetryBuilder, breaker: Option<CircuitBreaker>) -> LabPolicy {
        let mut builder = self.builder(retry).no_deadline();
        if let Some(breaker) = breaker {
            builder = builder.circuit_breaker(breaker);
        }
        builder.build().expect("a valid policy")
    }

    pub(crate) fn builder(&self, retry: RetryBuilder) -> PolicyBuilder<GrpcClassifier, Async<VirtualTimer>> {
        let clock = self.clock.clone();
        AsyncPolicy::<_, NoTimer>::builder()
            .timer(self.clock.timer())
            .classifier(grpc_classifier())
            .retry(retry)
            .observer(self.recorder.clone())
            .sleep_with(move |wait| {
                clock.advance(wait);
                async {}
            })
    }

    /// A policy of this many attempts that only waits if the server asks for it.
    pub(crate) fn policy(&self, attempts: u32) -> LabPolicy {
        self.policy_of(retry(attempts), None)
    }

    pub(crate) fn layer(&self, attempts: u32) -> LabLayer {
        GrpcLayer::new(self.policy(attempts))
    }

    pub(crate) fn client(&self, channel: Channel, attempts: u32) -> LabClient {
        EchoClient::new(self.layer(attempts).layer(channel))
    }

    /// The waits before each retry.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        let retries = self.recorder.events().into_iter().filter(|event| event.name.as_str() == "retry");
        retries.map(|event| event.delay).collect()
    }
}

/// A retry of this many attempts that only waits if the server asks for it.
pub(crate) fn retry(attempts: u32) -> RetryBuilder {
    let strategy = retry_after_or(fixed(Duration::ZERO)).jitter(Duration::ZERO);
    Retry::builder().strategy(strategy).max_attempts(attempts).unlimited_unknown_retries()
}

/// A breaker that opens for a second at the first failure of a server.
pub(crate) fn touchy_breaker() -> CircuitBreaker {
    let classes = [ErrorClass::Transient, ErrorClass::ServerError, ErrorClass::Unknown];
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(SECOND).trip_on(classes);
    breaker.build().expect("a valid breaker")
}

/// How the call ended: it came through a layer.
pub(crate) fn ended<T>(answer: &Result<Response<T>, Status>) -> &OutcomeSummary {
    outcome(answer).expect("a call through a layer")
}

/// Attempts, and why there were no more.
pub(crate) fn told<T>(answer: &Result<Response<T>, Status>) -> (u32, Option<StopReason>) {
    (ended(answer).attempts(), ended(answer).stop_reason())
}
