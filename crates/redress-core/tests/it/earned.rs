//! Earned budgets: what successes pay in, what retries take, and what comes back.

use std::future::{Future as _, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use redress_core::ErrorClass::{self, Permanent, RateLimit, ServerError, Transient};
use redress_core::budget::{BudgetSpec, EarnedBudgetBuilder, EarnedBudgetSpec, Priority};
use redress_core::driver::NoTimer;
use redress_core::error::ConfigIssue;
use redress_core::policy::RetryBuilder;
use redress_core::strategy::BackoffContext;
use redress_core::{
    AbortHandle, AsyncPolicy, Budget, CallContext, CircuitBreaker, Policy, Retry, SleepDecision, StopReason, fixed,
};
use redress_testing::VirtualClock;

use crate::lab::{ByClass, Failed, GOOD, Lab, everywhere, failing, fails, on_every_driver, script, secs, stopped};

fn earned(share: f64, capacity: f64) -> Budget {
    built(Budget::earned(share).capacity(capacity))
}

fn built(builder: EarnedBudgetBuilder) -> Budget {
    builder.build().expect("valid")
}

fn retry(budget: &Budget) -> RetryBuilder {
    Retry::builder().strategy(fixed(std::time::Duration::ZERO)).max_attempts(3).budget(budget.clone())
}

fn take(budget: &Budget, class: ErrorClass, priority: Priority) -> bool {
    budget.withdraw(class, priority).is_some()
}

#[test]
fn it_starts_full_and_a_success_adds_the_share_up_to_the_capacity() {
    let budget = earned(0.25, 2.0);
    budget.deposit();
    assert_eq!(budget.balance(), 2.0, "it was full");
    assert!(budget.consume() && budget.consume() && !budget.consume());
    for _ in 0..3 {
        budget.deposit();
    }
    assert_eq!((budget.balance(), budget.remaining()), (0.75, 0));
    for _ in 0..100 {
        budget.deposit();
    }
    assert_eq!((budget.balance(), budget.remaining(), budget.capacity()), (2.0, 2, 2.0));
}

#[test]
fn a_class_has_its_cost() {
    let budget = built(Budget::earned(0.1).capacity(10.0).cost_for(Transient, 2).cost_for(RateLimit, 5));
    for (class, left) in [(Transient, 8.0), (ServerError, 7.0), (RateLimit, 2.0), (Transient, 0.0)] {
        assert!(take(&budget, class, Priority::Normal));
        assert_eq!(budget.balance(), left, "{class}");
    }
    assert!(!take(&budget, ServerError, Priority::Critical));
}

#[test]
fn several_tokens_at_once_are_all_or_none() {
    let budget = built(Budget::earned(0.1).capacity(3.0).reserve(1.0));
    let now = std::time::Instant::now();
    assert!(!budget.consume_at(now, 3) && budget.consume_at(now, 2) && budget.consume_at(now, 0));
    assert_eq!((budget.remaining_at(now), budget.consume_at(now, 1)), (1, false));
}

#[test]
fn a_priority_has_its_line() {
    let budget = || built(Budget::earned(0.1).capacity(4.0).reserve(1.0));
    for (priority, grants) in [(Priority::Background, 2), (Priority::Normal, 3), (Priority::Critical, 4)] {
        let budget = budget();
        let granted = (0..9).filter(|_| take(&budget, Transient, priority)).count();
        assert_eq!((granted, budget.balance()), (grants, (4 - grants) as f64), "{priority}");
    }
}

#[test]
fn exactly_half_is_not_more_than_half() {
    let budget = earned(0.5, 1.0);
    assert!(budget.consume());
    budget.deposit();
    assert!(!take(&budget, Transient, Priority::Background));
    budget.deposit();
    assert!(take(&budget, Transient, Priority::Background));
}

/// With a seed, so the counts never change. The true shares are 0.3 and 0.75.
#[test]
fn a_part_of_a_token_is_a_chance_and_is_spent_by_the_draw() {
    for (capacity, cost, share) in [(0.3, 1, 0.3), (1.5, 2, 0.75)] {
        let budget = built(Budget::earned(capacity).capacity(capacity).cost_for(Transient, cost).seed(7));
        let mut granted = 0;
        for _ in 0..10_000 {
            if let Some(retry) = budget.withdraw(Transient, Priority::Normal) {
                granted += 1;
                retry.give_back();
            }
            assert_eq!(budget.balance(), 0.0, "the part is spent, granted or not, and nothing of it comes back");
            assert!(budget.withdraw(Transient, Priority::Critical).is_none(), "no chance without a balance");
            budget.deposit();
        }
        let error = f64::from(granted) / 10_000.0 - share;
        assert!(error.abs() < 0.01, "{granted} of 10,000 at {share}");
    }
}

#[test]
fn above_a_line_a_part_of_a_token_is_no_chance() {
    let budget = built(Budget::earned(0.1).capacity(1.5).reserve(1.0));
    assert!((0..100).all(|_| !take(&budget, Transient, Priority::Normal)));
    let budget = earned(0.1, 0.5);
    assert!((0..100).all(|_| !take(&budget, Transient, Priority::Background)));
    assert_eq!(budget.balance(), 0.5);
}

#[test]
fn chances_repeat_with_the_seed() {
    let draws = |seed| {
        let budget = built(Budget::earned(0.5).capacity(0.5).seed(seed));
        let draw = || {
            budget.deposit();
            take(&budget, Transient, Priority::Normal)
        };
        [(); 64].map(|()| draw())
    };
    assert_eq!(draws(1), draws(1));
    assert_ne!(draws(1), draws(2));
}

#[test]
fn each_successful_call_pays_in_once() {
    everywhere(|lab| {
        let budget = earned(0.25, 4.0);
        let policy = lab.retrying(retry(&budget));
        assert!(budget.consume_at(lab.clock.now(), 4));
        policy.run(&script([GOOD]));
        assert_eq!(budget.balance(), 0.25, "on the first attempt");
        let context = policy.context().on_metric(|_| {});
        context.run(&script([GOOD]));
        assert_eq!(budget.balance(), 0.5, "observed");
        for _ in 0..2 {
            policy.run(&script([GOOD]));
        }
        policy.run(&script([fails(Transient), GOOD]));
        assert_eq!(budget.balance(), 0.25, "a retry that succeeds costs its token and earns a share");
        assert_eq!(policy.run(&script([fails(Permanent)])), stopped(StopReason::NonRetryableClass, 1));
        assert_eq!(budget.balance(), 0.25, "a failed call earns nothing");
    });
}

#[test]
fn with_a_closed_breaker_and_a_deadline_a_success_pays_in_too() {
    everywhere(|lab| {
        let budget = earned(0.5, 1.0);
        let breaker = CircuitBreaker::builder().failure_threshold(1);
        let policy = lab.policy().retry(retry(&budget)).circuit_breaker(breaker).deadline(secs(9)).build();
        assert!(budget.consume());
        policy.run(&script([GOOD]));
        assert_eq!(budget.balance(), 0.5);
        policy.run(&failing(Permanent));
        policy.run(&failing(ServerError));
        assert_eq!(policy.run(&script([GOOD])).reason, Some(StopReason::CircuitOpen));
        assert_eq!(budget.balance(), 0.0, "a rejected call neither pays nor takes");
    });
}

#[test]
fn an_outage_gets_the_capacity_and_no_more() {
    everywhere(|lab| {
        let budget = earned(0.1, 3.0);
        let policy = lab.retrying(retry(&budget));
        let attempts: usize = (0..50).map(|_| policy.run(&failing(Transient)).attempts).sum();
        assert_eq!((attempts, budget.balance()), (50 + 3, 0.0));
        lab.clock.advance(secs(1_000_000));
        assert_eq!(policy.run(&failing(Transient)), stopped(StopReason::BudgetExhausted, 1));
    });
}

#[test]
fn a_call_has_a_priority_and_its_class_a_cost() {
    let budget = built(Budget::earned(0.1).capacity(10.0).reserve(2.0).cost_for(RateLimit, 3));
    let policy = Policy::builder().classifier(ByClass).retry(retry(&budget)).build().expect("valid");
    let context = policy.context();
    let run = |context: CallContext<'_, Policy<ByClass>>, class| {
        context.execute(|| fails(class)).stop_reason().map(|reason| (reason, budget.balance()))
    };
    let background = context.clone().priority(Priority::Background);
    assert_eq!(run(background.clone(), RateLimit), Some((StopReason::MaxAttempts, 4.0)));
    assert_eq!(run(background.clone(), Transient), Some((StopReason::BudgetExhausted, 4.0)));
    assert_eq!(run(context.clone(), Transient), Some((StopReason::MaxAttempts, 2.0)));
    assert_eq!(run(context.clone(), Transient), Some((StopReason::BudgetExhausted, 2.0)));
    assert_eq!(run(context.priority(Priority::Critical), Transient), Some((StopReason::MaxAttempts, 0.0)));

    let inner = CallContext::new().operation("read").within(background.settings());
    assert_eq!(inner.settings().priority(), Priority::Background);
    let own = CallContext::new().priority(Priority::Critical).within(background.settings());
    assert_eq!(own.settings().priority(), Priority::Critical);
    assert!(!own.settings().are_empty());
}

/// Attacks B4.
#[test]
fn a_retry_that_never_starts_gives_its_price_back() {
    on_every_driver(|lab: Lab| {
        let budget = built(Budget::earned(0.1).capacity(9.0).cost_for(Transient, 2));
        let policy = lab.policy().retry(retry(&budget)).deadline(secs(60)).build();
        let ends = |expected, reason| {
            assert_eq!((budget.balance(), reason), (9.0, Some(expected)));
        };
        let context = policy.context().sleep_handler(|_, _| SleepDecision::Defer);
        ends(StopReason::Scheduled, context.run(&failing(Transient)).reason);
        let context = policy.context().sleep_handler(|_, _| SleepDecision::Abort);
        ends(StopReason::Aborted, context.run(&failing(Transient)).reason);
        let context = policy.context().before_sleep(|_, _| lab.clock.advance(secs(60)));
        ends(StopReason::DeadlineExceeded, context.run(&failing(Transient)).reason);
        let asked = std::sync::atomic::AtomicU32::new(0);
        let third = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 2;
        let context = policy.context().abort_if(third);
        ends(StopReason::Aborted, context.run(&failing(Transient)).reason);
        // An attempt that has started spends the price, even if it aborts the call.
        policy.run(&script([fails(Transient), Err(Failed::Abort)]));
        assert_eq!(budget.balance(), 7.0);
    });
}

/// The first retry takes its price and starts, the second is a chance and is deferred.
///
/// Attacks B4.
#[test]
fn nothing_of_a_chance_comes_back_to_a_call() {
    on_every_driver(|lab: Lab| {
        let mut granted = 0;
        for seed in 0..20 {
            let budget = built(Budget::earned(0.1).capacity(1.5).seed(seed));
            let policy = lab.policy().retry(retry(&budget)).build();
            let defers_the_second = |context: &BackoffContext<'_>, _| match context.attempt {
                1 => SleepDecision::Sleep,
                _ => SleepDecision::Defer,
            };
            let reason = policy.context().sleep_handler(defers_the_second).run(&failing(Transient)).reason;
            granted += u32::from(reason == Some(StopReason::Scheduled));
            assert_eq!(budget.balance(), 0.0, "{reason:?}");
        }
        assert!((1..20).contains(&granted), "{granted} of 20");
    });
}

/// The class of the last failure is not in a token, so the dearest class counts.
#[test]
fn a_call_that_goes_on_pays_again() {
    let budget = built(Budget::earned(0.1).capacity(6.0).cost_for(RateLimit, 4));
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("valid");
    let retry = retry(&budget).max_attempts(9);
    let policy = Policy::builder().classifier(ByClass).retry(retry).circuit_breaker(&breaker).build().expect("valid");
    let deferring = policy.context().sleep_handler(|_, _| SleepDecision::Defer);
    let first = deferring.execute(|| fails(RateLimit));
    assert_eq!((first.stop_reason(), budget.balance()), (Some(StopReason::Scheduled), 6.0));
    let token = first.resume_token().expect("it was deferred");

    assert_eq!(policy.resume(token).execute(|| GOOD).stop_reason(), None);
    assert!((budget.balance() - 2.1).abs() < 1e-9, "{}", budget.balance());
    let refused = policy.resume(token).priority(Priority::Background).execute(|| GOOD);
    assert_eq!((refused.stop_reason(), refused.attempts()), (Some(StopReason::BudgetExhausted), 1));

    let budget_of_new = built(Budget::earned(0.1).capacity(6.0));
    let open = Policy::builder().classifier(ByClass).circuit_breaker(&breaker);
    let open = open.retry(Retry::builder().budget(budget_of_new.clone())).build().expect("valid");
    breaker.try_acquire().expect("closed").failure(ServerError);
    let rejected = open.resume(token).execute(|| GOOD);
    assert_eq!((rejected.stop_reason(), budget_of_new.balance()), (Some(StopReason::CircuitOpen), 6.0));
}

/// The token tells which classes have failed, and not which was the last.
#[test]
fn a_call_that_goes_on_pays_for_the_dearest_of_its_classes() {
    for (first, second) in [(Transient, ServerError), (ServerError, Transient)] {
        let dear = Budget::earned(0.5).capacity(10.0).cost_for(first, 3).cost_for(RateLimit, 9);
        let budget = built(dear);
        let policy = Policy::builder().classifier(ByClass).retry(retry(&budget)).build().expect("valid");
        let later = |context: &BackoffContext<'_>| context.attempt == 2;
        let deferring = policy
            .context()
            .sleep_handler(|context, _| if later(context) { SleepDecision::Defer } else { SleepDecision::Sleep });
        let mut classes = [first, second].into_iter();
        let outcome = deferring.execute(|| fails(classes.next().expect("two attempts")));
        assert_eq!((outcome.stop_reason(), budget.balance()), (Some(StopReason::Scheduled), 7.0), "{first}");
        let token = outcome.resume_token().expect("it was deferred");
        assert!(policy.resume(token).execute(|| GOOD).is_ok());
        assert_eq!(budget.balance(), 4.5, "{first}");
    }
}

#[test]
fn a_call_that_goes_on_has_paid_a_rolling_window() {
    let budget = Budget::new(5, secs(60)).expect("valid");
    let policy = Policy::builder().classifier(ByClass).retry(retry(&budget)).build().expect("valid");
    let deferring = policy.context().sleep_handler(|_, _| SleepDecision::Defer);
    let token = deferring.execute(|| fails(Transient)).resume_token().expect("it was deferred");
    assert_eq!(budget.remaining(), 4);
    assert!(policy.resume(token).execute(|| GOOD).is_ok());
    assert_eq!(budget.remaining(), 4);
}

#[test]
fn an_abort_in_the_wait_gives_the_price_back() {
    let budget = earned(0.1, 2.0);
    let slow = retry(&budget).strategy(fixed(secs(3_600)));
    let policy = Policy::builder().classifier(ByClass).retry(slow).no_deadline().build().expect("valid");
    let handle = AbortHandle::new();
    let context = policy.context().abort_on(&handle).before_sleep(|_, _| handle.abort());
    assert_eq!(context.execute(|| fails(Transient)).stop_reason(), Some(StopReason::Aborted));
    assert_eq!(budget.balance(), 2.0);
}

/// Drops a call after every number of polls. The price is out from the failure to the start of the
/// next attempt, and comes back if the call is dropped in between.
///
/// Attacks B2, B4.
#[test]
fn a_call_dropped_in_the_wait_gives_its_price_back() {
    for observed in [false, true] {
        for polls in 1..=6 {
            let budget = built(Budget::earned(0.5).capacity(9.0).cost_for(Transient, 2));
            let clock = VirtualClock::new();
            let waiting = retry(&budget).strategy(fixed(secs(1)));
            let policy = AsyncPolicy::<_, NoTimer>::builder()
                .classifier(ByClass)
                .timer(clock.timer())
                .retry(waiting)
                .build()
                .expect("valid");
            let context = policy.context();
            let context = if observed { context.on_metric(|_| {}) } else { context };
            let started = std::sync::atomic::AtomicU32::new(0);
            let mut call = Box::pin(context.call(|| {
                started.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                ready(fails(Transient))
            }));
            let mut cx = Context::from_waker(Waker::noop());
            let mut is_over = false;
            for _ in 0..polls {
                is_over = call.as_mut().poll(&mut cx).is_ready();
                if is_over {
                    break;
                }
                let retries = started.load(std::sync::atomic::Ordering::Relaxed);
                assert_eq!(budget.balance(), 9.0 - 2.0 * f64::from(retries), "one is paid for and waits");
                clock.advance(secs(1));
            }
            drop(call);
            let retries = started.load(std::sync::atomic::Ordering::Relaxed) - 1;
            assert_eq!(budget.balance(), 9.0 - 2.0 * f64::from(retries), "{polls} polls, over: {is_over}");
        }
    }
}

#[test]
fn a_call_that_was_never_polled_takes_nothing() {
    let budget = earned(0.1, 2.0);
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .classifier(ByClass)
        .timer(VirtualClock::new().timer())
        .retry(retry(&budget))
        .build();
    let policy = policy.expect("valid");
    drop(policy.call(|| ready(fails(Transient))));
    assert_eq!(budget.balance(), 2.0);
    let mut call = pin!(policy.call(|| ready(GOOD)));
    assert!(matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_))));
}

#[test]
fn a_rolling_window_takes_nothing_back() {
    let budget = Budget::new(2, secs(60)).expect("valid");
    budget.withdraw(Transient, Priority::Critical).expect("two are left").give_back();
    budget.deposit();
    assert_eq!((budget.balance(), budget.capacity()), (1.0, 2.0));
    assert!(take(&budget, RateLimit, Priority::Background) && !take(&budget, Transient, Priority::Critical));
}

#[test]
fn successes_of_all_threads_pay_in() {
    let budget = earned(0.001, 1_000.0);
    assert!((0..1_000).all(|_| budget.consume()));
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| (0..10_000).for_each(|_| budget.deposit()));
        }
    });
    assert_eq!(budget.balance(), 120.0);
}

#[test]
fn traffic_sets_the_capacity() {
    for (share, rate, capacity) in [(0.1, 50.0, 50.0), (0.2, 0.25, 0.5), (0.1, 0.0, 0.1), (0.1, 1e9, 1_000.0)] {
        assert_eq!(built(Budget::earned(share).for_traffic(rate)).capacity(), capacity);
    }
    assert!(Budget::earned(0.1).for_traffic(f64::NAN).build().is_err());
}

#[test]
fn every_rule_is_checked() {
    let refused = |builder: EarnedBudgetBuilder| builder.build().expect_err("invalid").to_string();
    let share = "invalid configuration: budget.share = 0.0 must be from 0.000001 to 1000";
    assert_eq!(refused(Budget::earned(0.0)), share);
    let all = Budget::earned(f64::INFINITY).capacity(-1.0).reserve(f64::NAN).cost_for(Transient, 0);
    let fields: Vec<_> = all.build().expect_err("invalid").issues().iter().map(ConfigIssue::field).collect();
    assert_eq!(fields, ["budget.share", "budget.capacity", "budget.reserve", "budget.cost_for"]);
    assert!(refused(Budget::earned(1.0).cost_for(Transient, 1_000_001)).contains("be from 1 to 1000000"));
    let largest = Budget::earned(1e3).capacity(1e9).reserve(1e9).cost_for(Transient, 1_000_000);
    assert!(largest.build().is_ok());
}

#[test]
fn it_gives_its_data_back() {
    let builder = Budget::earned(0.2).capacity(5.0).reserve(1.5).cost_for(Transient, 2).seed(9);
    let budget = built(builder);
    let mut spec = EarnedBudgetSpec::new(0.2);
    (spec.capacity, spec.reserve, spec.seed) = (5.0, 1.5, Some(9));
    spec.costs[Transient] = 2;
    assert_eq!(budget.spec(), BudgetSpec::Earned(spec.clone()));
    assert_eq!(Budget::from_spec(BudgetSpec::Earned(spec)).expect("valid").spec(), budget.spec());
    let text =
        "budget: 0.2 retries for each success, at most 5, 1.5 reserved for critical calls, 2 for TRANSIENT, seed 9";
    assert_eq!(budget.spec().to_string(), text);
    assert_eq!(format!("{budget:?}"), "Budget { share: 0.2, capacity: 5.0, .. }");
    assert_eq!(EarnedBudgetSpec::default(), EarnedBudgetSpec::new(0.1));

    let policy = Policy::builder().retry(Retry::builder().budget(budget.clone())).build().expect("valid");
    let spec = policy.spec().retry.and_then(|retry| retry.budget);
    assert_eq!(spec, Some(budget.spec()));
}

#[test]
fn priorities_have_names() {
    for priority in Priority::ALL.iter().copied() {
        assert_eq!(Priority::from_name(&priority.to_string()), Some(priority));
    }
    assert_eq!((Priority::from_name("urgent"), Priority::default()), (None, Priority::Normal));
}

/// A list model: every success is paid in at once, capped each time.
struct Eager {
    balance: u64,
    share: u64,
    capacity: u64,
    reserve: u64,
}

impl Eager {
    fn withdraw(&mut self, cost: u64, priority: Priority) -> bool {
        let granted = match priority {
            Priority::Normal => self.balance >= self.reserve + cost,
            Priority::Background => 2 * self.balance > self.capacity && self.balance >= cost,
            _ => self.balance >= cost,
        };
        self.balance -= if granted { cost } else { 0 };
        granted
    }

    fn add(&mut self, amount: u64) {
        self.balance = self.capacity.min(self.balance + amount);
    }
}

/// Attacks B2, B3, B4.
#[test]
fn lazy_deposits_equal_eager_ones() {
    let mut random = fastrand::Rng::with_seed(41);
    for round in 0..500 {
        // In thousandths; whole numbers of tokens are drawn, so that no chance decides.
        let [share, capacity, reserve] = [random.u64(1..=2), random.u64(1..20), random.u64(..4)];
        let mut eager = Eager { balance: capacity, share, capacity, reserve };
        let costs = [random.u32(1..3), random.u32(1..5)];
        let (builder, most) = (Budget::earned(share as f64), capacity as f64);
        let builder = builder.capacity(most).reserve(reserve as f64).cost_for(Transient, costs[0]);
        let budget = built(builder.cost_for(RateLimit, costs[1]));
        let (mut held, mut taken, mut returned, mut successes) = (Vec::new(), 0, 0, 0);
        for _ in 0..200 {
            match random.u32(..10) {
                0..3 => {
                    for _ in 0..random.u64(..6) {
                        budget.deposit();
                        eager.add(eager.share);
                        successes += 1;
                    }
                }
                3..9 => {
                    let kind = random.usize(..2);
                    let (class, cost) = ([Transient, RateLimit][kind], u64::from(costs[kind]));
                    let priority = Priority::ALL[random.usize(..3)];
                    let is_chance = eager.balance > 0 && eager.balance < cost;
                    if is_chance && (priority == Priority::Critical || (priority == Priority::Normal && reserve == 0)) {
                        continue;
                    }
                    let withdrawal = budget.withdraw(class, priority);
                    assert_eq!(withdrawal.is_some(), eager.withdraw(cost, priority), "round {round}, {priority}");
                    if let Some(withdrawal) = withdrawal {
                        taken += cost;
                        held.push((withdrawal, cost));
                    }
                }
                _ => {
                    if let Some((withdrawal, cost)) = held.pop() {
                        withdrawal.give_back();
                        eager.add(cost);
                        returned += cost;
                    }
                }
            }
            // A balance that is read is settled, so it is not read each time.
            if random.bool() {
                assert_eq!(budget.balance(), eager.balance as f64, "round {round}");
                assert!(budget.balance() <= budget.capacity());
            }
            assert!(returned <= taken && taken - returned <= capacity + share * successes);
        }
    }
}

#[test]
fn a_withdrawal_can_be_given_back() {
    let budget = built(Budget::earned(0.1).capacity(3.0).cost_for(Transient, 2));
    let retry = budget.withdraw(Transient, Priority::Normal).expect("it is full");
    assert_eq!(budget.balance(), 1.0);
    retry.give_back();
    assert_eq!(budget.balance(), 3.0);
    drop(budget.withdraw(Transient, Priority::Normal).expect("it is full"));
    assert_eq!(budget.balance(), 1.0, "dropped, it is spent");
}

#[test]
fn below_a_reserve_or_half_of_the_capacity_nothing_is_drawn() {
    let budget = built(Budget::earned(0.1).capacity(1.5).reserve(1.0).seed(1));
    assert!(take(&budget, Transient, Priority::Critical));
    assert!((0..100).all(|_| !take(&budget, Transient, Priority::Normal)));
    assert!((0..100).all(|_| !take(&budget, Transient, Priority::Background)));
    assert_eq!(budget.balance(), 0.5);
}
