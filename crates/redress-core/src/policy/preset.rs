//! [`Preset`]: policies for kinds of calls, each as a complete [`PolicySpec`]. The functions that
//! return builders, such as `Policy::http`, are in `preset_builders.rs`.

use std::fmt;
use std::time::Duration;

use crate::breaker::{BreakerSpec, CircuitBreakerBuilder, ProbeLease, RecoveryGrowth, Trial};
use crate::budget::{BudgetSpec, EarnedBudgetSpec};
use crate::classify::class::ErrorClass;
use crate::closed_set::closed_set;
use crate::policy::retry::RetryBuilder;
use crate::policy::retry_spec::RetrySpec;
use crate::policy::spec::{PolicyBreaker, PolicySpec};
use crate::strategy::{Jitter, StrategySpec};
use crate::{CircuitBreaker, Retry};

/// A kind of calls, and the complete policy for it. [`Policy::http`](crate::Policy::http) and its
/// siblings return the builder of a policy, [`spec`](Self::spec) the same settings as data.
///
/// A preset is a base: what is set afterwards wins. To change a part of the retry or of the
/// breaker, begin with that of the preset, [`retry`](Self::retry) or [`breaker`](Self::breaker).
///
/// ```
/// use std::time::Duration;
/// use redress::{Budget, Policy};
/// use redress::policy::Preset;
///
/// // Build one policy for each dependency, once: it has its own budget and breaker.
/// let orders = Policy::http().name("orders").deadline(Duration::from_secs(10)).build()?;
///
/// let few = Budget::earned(0.1).capacity(0.3).build()?; // of very many clients
/// let stock = Policy::http()
///     .name("stock")
///     .retry(Preset::Http.retry().max_attempts(2).budget(few))
///     .circuit_breaker(Preset::Http.breaker().recovery_timeout(Duration::from_secs(20)))
///     .build()?;
/// assert_eq!((orders.max_attempts(), stock.max_attempts()), (3, 2));
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// # All presets
///
/// | setting | value | why |
/// |---|---|---|
/// | budget | earned, 0.1 for each success | adds at most 10 % to the load of a dependency that works, as in gRPC (proposal A6) and Google's SRE book; nothing is earned in an outage |
/// | breaker opens at | 50 % of at least 20 calls in the window | at a true error rate of 10 %, chance alone opens it in 7 of a million windows; the same share for every traffic |
/// | window | 30 s, or longer than the attempt timeout | Polly's; a success of a call that took longer than the window would not count |
/// | growth of the open wait | factor 2, up to 5 min | fewer probes in a long outage; 300 s is Envoy's longest ejection unless set |
/// | jitter of the open wait | 0.2 | clients whose circuits opened together do not probe together |
/// | hint of the dependency | honoured by the open wait up to 5 min | a hint of hours, honoured, is an outage of hours |
/// | trial | 1 probe at a time, 3 must pass | one lucky answer proves little, and one probe does no harm |
/// | probe lease | the open wait, or longer than the attempt timeout | a healthy probe is never superseded |
/// | attempt timeout | what the deadline leaves for each attempt after the longest waits | if all attempts hang, each still has its full time |
/// | retries of `Unknown` | at most 2 | the default: an error that no classifier knows may be a defect |
///
/// The tables of the variants have the settings that differ. A wait is never shorter than the
/// dependency's hint.
///
/// # Sources
///
/// | figures | documented in |
/// |---|---|
/// | .NET's handler: 30 s in all, 10 s for an attempt; Polly's window of 30 s | [`HttpStandardResilienceOptions`](https://learn.microsoft.com/dotnet/api/microsoft.extensions.http.resilience.httpstandardresilienceoptions), Polly's [timeout](https://www.pollydocs.org/strategies/timeout) and [circuit breaker](https://www.pollydocs.org/strategies/circuit-breaker) |
/// | the AWS SDKs' 3 attempts, and waits of 20 s at most | [retry behavior](https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html), `RetryConfig` of `aws-smithy-types` |
/// | gRPC's 4 attempts of 5 at most, waits of 0.1 s to 1 s, 10 tokens, 0.1 for a success | [proposal A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md) |
/// | Google's 3 attempts and 10 % | [Site Reliability Engineering, Handling Overload](https://sre.google/sre-book/handling-overload/) |
/// | finagle's 20 % | [Retry Budgets](https://finagle.github.io/blog/2016/02/08/retry-budgets) |
/// | Envoy's 300 s | [outlier detection](https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/outlier_detection.proto), `max_ejection_time` |
/// | 30 s of load balancers | [Google Cloud](https://cloud.google.com/compute/docs/reference/rest/v1/backendServices), `timeoutSec`; [Heroku](https://devcenter.heroku.com/articles/request-timeout) |
/// | locks of messages: 30 s, 5 min | [SQS](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html), [Azure Service Bus](https://learn.microsoft.com/dotnet/api/azure.messaging.servicebus.administration.createqueueoptions.lockduration) |
/// | the vendors' 10 min, 2 retries, waits of 0.5 s to 8 s | `_constants.py` of [OpenAI's](https://github.com/openai/openai-python/blob/main/src/openai/_constants.py) and [Anthropic's](https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/_constants.py) clients |
/// | retries of transactions | [PostgreSQL, 13.5](https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html) |
/// | what a person notices | [Nielsen, Response Times](https://www.nngroup.com/articles/response-times-3-important-limits/) |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// Requests to an HTTP service.
    ///
    /// | setting | value | why |
    /// |---|---|---|
    /// | deadline | 30 s | the total timeout of .NET's standard resilience handler; Google's load balancers and Heroku's router give up after 30 s too |
    /// | attempts | 3 | the AWS SDKs' standard mode, and the limit of Google's SRE book |
    /// | attempt timeout | 9 s | (30 s − 3 s of waits) ÷ 3; .NET's handler has 10 s |
    /// | waits | decorrelated jitter, 250 ms to 5 s | the default strategy |
    /// | waits after `RateLimit` | the hint, or 1 s to 20 s | limits are counted by the second or more; the AWS SDKs wait 20 s at most |
    /// | capacity of the budget | 2 | the retries of one call; clients are many, and in simulations 10,000 of them recover with it, and do not with 10 |
    /// | open wait | 10 s | longer than an attempt, so that it can be the lease |
    Http,
    /// Calls of a gRPC service.
    ///
    /// | setting | value | why |
    /// |---|---|---|
    /// | deadline | 10 s | the caller is often a service that is itself called; a third of what `Http` has |
    /// | attempts | 4 | the example of gRPC's retry proposal (A6); gRPC allows 5 at most |
    /// | attempt timeout | 2.3 s | (10 s − 0.7 s of waits) ÷ 4 |
    /// | waits | exponential with full jitter, 100 ms to 1 s | the figures of A6 |
    /// | capacity of the budget | 3 | the retries of one call; A6 has 10 tokens and stops at 5 |
    /// | open wait | 5 s | longer than an attempt |
    Grpc,
    /// Statements and transactions of a database. The operation is the whole transaction.
    ///
    /// An attempt that is cut in COMMIT may have been committed. Where a second run would do harm,
    /// add `.no_attempt_timeout().no_deadline()` and set the database's own timeouts.
    ///
    /// | setting | value | why |
    /// |---|---|---|
    /// | deadline | 10 s | a request waits for the database, and a caller for the request |
    /// | attempts | 6 | conflicts: each round at least one of the transactions commits |
    /// | retries of `Transient`, `ServerError`, `RateLimit` | 2 each | 3 attempts, as for `Http`: an outage is not a conflict |
    /// | attempt timeout | 2.9 s | (10 s − 1.2 s of waits) ÷ 3; an attempt that hangs is `Transient` |
    /// | waits after `Concurrency` | decorrelated jitter, 10 ms to 250 ms | the other transaction is over soon; PostgreSQL says to retry it (13.5) |
    /// | other waits | decorrelated jitter, 100 ms to 2 s | what breaks is a connection, and another one is at hand |
    /// | share of the budget | 0.2 | conflicts come with the load, also while the database works; finagle's share |
    /// | capacity of the budget | 10 | the connections of a database are limited, and so are its clients |
    /// | open wait | 5 s | longer than an attempt |
    Database,
    /// Calls within the jobs of a queue: the worker can give a job back.
    ///
    /// | setting | value | why |
    /// |---|---|---|
    /// | deadline | 4 min | leaves a minute of a lock of 5 min, the longest of Azure Service Bus; raise shorter ones, such as the 30 s of SQS |
    /// | attempts | 5 | then the queue is the better place to wait |
    /// | attempt timeout | 30 s | at most (4 min − 69 s of waits) ÷ 5 |
    /// | waits | decorrelated jitter, 1 s to 30 s | no person waits; a restart takes seconds |
    /// | waits after `RateLimit` | the hint, or 1 s to 60 s | quotas are often by the minute |
    /// | capacity of the budget | 10 | the retries of two jobs; workers are fewer than clients |
    /// | window of the breaker | 2 min | holds calls that take 30 s |
    /// | open wait | 60 s | jobs wait in the queue meanwhile; longer than an attempt |
    Queue,
    /// Calls of a model vendor's API.
    ///
    /// | setting | value | why |
    /// |---|---|---|
    /// | deadline | 10 min | the timeout of OpenAI's and Anthropic's own clients |
    /// | attempts | 3 | their 2 retries |
    /// | attempt timeout | 3 min | at most (10 min − 6 s of waits) ÷ 3; leaves 54 s for a hint |
    /// | waits | decorrelated jitter, 500 ms to 8 s | the first and the longest wait of these clients |
    /// | waits after `RateLimit` | the hint, or 1 s to 60 s | quotas are by the minute |
    /// | capacity of the budget | 10 | clients are few, and a quota stops many calls at once |
    /// | window of the breaker | 10 min | holds answers that take 3 min |
    /// | open wait, probe lease | 30 s, 4 min | a probe may take as long as an answer |
    Llm,
    /// Calls that a person waits for.
    ///
    /// | setting | value | why |
    /// |---|---|---|
    /// | deadline | 3 s | a wait above 1 s breaks a person's train of thought, one above 10 s loses the attention (Nielsen) |
    /// | attempts | 2 | one repairs a single fault; there is no time for more |
    /// | attempt timeout | 1.4 s | at most (3 s − 0.15 s of waits) ÷ 2 |
    /// | waits | decorrelated jitter, 50 ms to 250 ms | hardly noticed; a longer hint ends the call at once |
    /// | capacity of the budget | 2 | as for `Http` |
    /// | open wait | 5 s | people come back sooner than machines |
    Interactive,
    /// Calls of a run that has time, such as an import at night.
    ///
    /// Where it shares its budget with other calls, let it be
    /// [`Background`](crate::budget::Priority::Background): `policy.context().priority(..)`.
    ///
    /// | setting | value | why |
    /// |---|---|---|
    /// | deadline | 30 min | outlasts a deployment, and still ends |
    /// | attempts | 10 | after nine waits the dependency has been down for minutes |
    /// | attempt timeout | 2 min | at most (30 min − 399 s of waits) ÷ 10 |
    /// | waits | decorrelated jitter, 1 s to 60 s | a minute is nothing to a run of hours |
    /// | waits after `RateLimit` | the hint, or 1 s to 60 s | quotas are often by the minute |
    /// | capacity of the budget | 10 | one call's nine retries |
    /// | window of the breaker | 10 min | holds attempts that take 2 min |
    /// | open wait, probe lease | 30 s, 4 min | a probe may take as long as an attempt |
    /// | the breaker judges | each attempt | a call may wait for minutes, and the breaker would hear of an outage after them |
    Batch,
}

closed_set! {
    /// Every preset, in declaration order.
    Preset { Http, Grpc, Database, Queue, Llm, Interactive, Batch }
}

impl Preset {
    /// The name, as [`Display`](fmt::Display) and policy files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
            Self::Database => "database",
            Self::Queue => "queue",
            Self::Llm => "llm",
            Self::Interactive => "interactive",
            Self::Batch => "batch",
        }
    }

    /// Returns the preset with this [name](Self::as_str), or `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|preset| preset.as_str() == name)
    }

    /// Returns the settings. A policy's [`from_spec`](crate::Policy::from_spec) makes a builder of
    /// them, and a policy that was built so returns them.
    ///
    /// ```
    /// use redress::Policy;
    /// use redress::policy::Preset;
    ///
    /// for preset in Preset::ALL {
    ///     let policy = Policy::from_spec(preset.spec()).build()?;
    ///     assert_eq!(policy.spec(), preset.spec());
    ///     println!("{preset}: {}", policy.spec());
    /// }
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use]
    pub fn spec(self) -> PolicySpec {
        let (deadline, attempt_timeout) = self.time_limits();
        PolicySpec {
            retry: Some(self.retry_spec()),
            breaker: Some(PolicyBreaker::Circuit(self.breaker_spec())),
            deadline: Some(deadline),
            attempt_timeout: Some(attempt_timeout),
            judge_attempts: matches!(self, Self::Batch),
            ..PolicySpec::once()
        }
    }

    /// Returns a builder with the preset's retry and a new budget, to change a part of it:
    /// `Policy::http().retry(Preset::Http.retry().max_attempts(2))`.
    pub fn retry(self) -> RetryBuilder {
        Retry::from_spec(self.retry_spec())
    }

    /// Returns a builder with the preset's breaker, to change a part of it:
    /// `Policy::http().circuit_breaker(Preset::Http.breaker().name("orders"))`.
    pub fn breaker(self) -> CircuitBreakerBuilder {
        CircuitBreaker::from_spec(self.breaker_spec())
    }

    /// The deadline and the attempt timeout.
    const fn time_limits(self) -> (Duration, Duration) {
        match self {
            Self::Http => (secs(30), secs(9)),
            Self::Grpc => (secs(10), millis(2300)),
            Self::Database => (secs(10), millis(2900)),
            Self::Queue => (secs(240), secs(30)),
            Self::Llm => (secs(600), secs(180)),
            Self::Interactive => (secs(3), millis(1400)),
            Self::Batch => (secs(1800), secs(120)),
        }
    }

    fn retry_spec(self) -> RetrySpec {
        let mut retry = match self {
            Self::Http => retry(3, jitter(millis(250), secs(5)), budget(0.1, 2.0)),
            Self::Grpc => retry(4, doubling(millis(100), secs(1)), budget(0.1, 3.0)),
            Self::Database => retry(6, jitter(millis(100), secs(2)), budget(0.2, 10.0)),
            Self::Queue => retry(5, jitter(secs(1), secs(30)), budget(0.1, 10.0)),
            Self::Llm => retry(3, jitter(millis(500), secs(8)), budget(0.1, 10.0)),
            Self::Interactive => retry(2, jitter(millis(50), millis(250)), budget(0.1, 2.0)),
            Self::Batch => retry(10, jitter(secs(1), secs(60)), budget(0.1, 10.0)),
        };
        retry.strategies[ErrorClass::RateLimit] = match self {
            Self::Http => Some(hinted(secs(1), secs(20))),
            Self::Queue | Self::Llm | Self::Batch => Some(hinted(secs(1), secs(60))),
            Self::Grpc | Self::Database | Self::Interactive => None,
        };
        if matches!(self, Self::Database) {
            retry.strategies[ErrorClass::Concurrency] = Some(jitter(millis(10), millis(250)));
            retry.max_retries_for[ErrorClass::RateLimit] = Some(2);
            retry.max_retries_for[ErrorClass::ServerError] = Some(2);
            retry.max_retries_for[ErrorClass::Transient] = Some(2);
        }
        retry
    }

    fn breaker_spec(self) -> BreakerSpec {
        let (window, recovery_timeout, probe_lease) = match self {
            Self::Http => (secs(30), secs(10), ProbeLease::RecoveryTimeout),
            Self::Grpc | Self::Database | Self::Interactive => (secs(30), secs(5), ProbeLease::RecoveryTimeout),
            Self::Queue => (secs(120), secs(60), ProbeLease::RecoveryTimeout),
            Self::Llm | Self::Batch => (secs(600), secs(30), ProbeLease::Lasts(secs(240))),
        };
        BreakerSpec {
            failure_ratio: Some(0.5),
            min_calls: 20,
            window: Some(window),
            recovery_timeout,
            recovery_growth: Some(RecoveryGrowth::new(2.0, secs(300))),
            recovery_jitter: 0.2,
            honour_retry_after: Some(secs(300)),
            trial: Trial::new().passes(3),
            probe_lease,
            ..BreakerSpec::default()
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn retry(max_attempts: u32, strategy: StrategySpec, budget: BudgetSpec) -> RetrySpec {
    RetrySpec { max_attempts, strategy: Some(strategy), budget: Some(budget), ..RetrySpec::default() }
}

fn budget(share: f64, capacity: f64) -> BudgetSpec {
    BudgetSpec::Earned(EarnedBudgetSpec { capacity, ..EarnedBudgetSpec::new(share) })
}

const fn jitter(base: Duration, max: Duration) -> StrategySpec {
    StrategySpec::DecorrelatedJitter { base, max, seed: None }
}

/// From none to `base` before the first retry, and to twice as much before each further one.
const fn doubling(base: Duration, max: Duration) -> StrategySpec {
    StrategySpec::Exponential { base, factor: 2.0, max, jitter: Jitter::Full, first_power: 0, seed: None }
}

/// The hint of the failure, or else decorrelated jitter.
fn hinted(base: Duration, max: Duration) -> StrategySpec {
    StrategySpec::RetryAfterOr { jitter: millis(250), seed: None, fallback: Box::new(jitter(base, max)) }
}
