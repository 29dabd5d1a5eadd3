//! The rules, trials, ramps and modes of a breaker, against a plain model with lists: the same
//! calls in the same order, on a clock that only goes on.

use std::time::Duration;

use redress_core::breaker::{
    Admission, Breaker, CircuitBreakerBuilder, CircuitState, KeyedBreakers, Mode, Permit, Report, Seen, Transition,
    Trial, TripRule,
};
use redress_core::error::CircuitOpenError;
use redress_core::{CircuitBreaker, ErrorClass};
use redress_testing::VirtualClock;

use crate::lab::secs;

/// A configuration in whole seconds.
#[derive(Clone, Debug, Default)]
struct Settings {
    threshold: Option<u32>,
    share: Option<u64>,
    min_calls: u32,
    row: Option<u32>,
    window: u64,
    slow: Option<u64>,
    recovery: u64,
    growth: Option<(u64, u64)>,
    hint_cap: Option<u64>,
    hint_opens: Option<u64>,
    trial: (u32, u32, u32),
    lease: Option<u64>,
    ramp: Option<(u64, u64)>,
    alone: Option<u32>,
}

impl Settings {
    fn draw(random: &mut fastrand::Rng) -> Self {
        let maybe = |random: &mut fastrand::Rng, range: std::ops::Range<u64>| random.bool().then(|| random.u64(range));
        let recovery = random.u64(1..12);
        Self {
            threshold: maybe(random, 1..4).map(|n| n as u32),
            share: maybe(random, 1..11),
            min_calls: random.u32(1..6),
            row: maybe(random, 1..4).map(|n| n as u32),
            window: 16 * random.u64(1..4),
            slow: maybe(random, 1..6),
            recovery,
            growth: maybe(random, 1..4).map(|factor| (factor, recovery + random.u64(0..40))),
            hint_cap: maybe(random, 1..30),
            hint_opens: maybe(random, 1..10),
            trial: (random.u32(1..4), random.u32(1..4), random.u32(0..3)),
            lease: maybe(random, 1..12),
            ramp: maybe(random, 1..12).map(|length| (length, random.u64(0..11))),
            alone: maybe(random, 1..3).map(|n| n as u32),
        }
    }

    fn build(&self, clock: &VirtualClock) -> CircuitBreaker {
        let (places, passes, failures) = self.trial;
        let mut builder = CircuitBreaker::builder()
            .clock(clock.clone())
            .min_calls(self.min_calls)
            .window(secs(self.window))
            .recovery_timeout(secs(self.recovery))
            .trial(Trial::new().places(places).passes(passes).failures(failures))
            .no_probe_lease();
        type Set = fn(CircuitBreakerBuilder, u64) -> CircuitBreakerBuilder;
        let sets: [(Option<u64>, Set); 7] = [
            (self.threshold.map(u64::from), |builder, n| builder.failure_threshold(n as u32)),
            (self.share, |builder, tenths| builder.failure_ratio(tenths as f64 / 10.0)),
            (self.row.map(u64::from), |builder, n| builder.consecutive_failures(n as u32)),
            (self.slow, |builder, n| builder.slow_call(secs(n))),
            (self.hint_cap, |builder, n| builder.honour_retry_after(secs(n))),
            (self.hint_opens, |builder, n| builder.open_on_retry_after(secs(n))),
            (self.lease, |builder, n| builder.probe_lease(secs(n))),
        ];
        for (value, set) in sets {
            builder = value.into_iter().fold(builder, set);
        }
        if let Some((factor, max)) = self.growth {
            builder = builder.recovery_growth(factor as f64, secs(max));
        }
        if let Some((length, from)) = self.ramp {
            builder = builder.ramp(secs(length), from as f64 / 10.0);
        }
        if let Some(threshold) = self.alone {
            builder = builder.class_threshold(ErrorClass::Unknown, threshold);
        }
        builder.build().expect("valid")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open,
    Trial,
    Ramp,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Success,
    Failure(ErrorClass, Option<u64>),
    Drop,
}

/// A permit of the model: its era and when it was admitted.
type Ticket = Option<(u64, u64)>;

/// The breaker as lists.
#[derive(Debug)]
struct Model {
    settings: Settings,
    state: State,
    mode: Mode,
    era: u64,
    bad: Vec<u64>,
    alone: Vec<u64>,
    row: u32,
    results: Vec<(u64, bool)>,
    opened_until: u64,
    wait: u64,
    /// The last wait before its hint; zero before the first opening.
    grown: u64,
    closed_at: u64,
    live: u32,
    passed: u32,
    failed: u32,
    released: u32,
    news: u64,
    last_admission: u64,
    /// The ramp that is under way.
    ramp: (u64, u64),
    ramp_since: u64,
    arrived: u64,
    admitted: u64,
    rule: Option<TripRule>,
    /// Whether a result was old enough that a slice may or may not hold it.
    is_unsure: bool,
}

impl Model {
    fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: State::Closed,
            mode: Mode::Enforcing,
            era: 0,
            bad: Vec::new(),
            alone: Vec::new(),
            row: 0,
            results: Vec::new(),
            opened_until: 0,
            wait: 0,
            grown: 0,
            closed_at: 0,
            live: 0,
            passed: 0,
            failed: 0,
            released: 0,
            news: 0,
            last_admission: 0,
            ramp: (0, 0),
            ramp_since: 0,
            arrived: 0,
            admitted: 0,
            rule: None,
            is_unsure: false,
        }
    }

    fn shown(&self) -> CircuitState {
        match (self.mode, self.state) {
            (Mode::ForcedOpen, _) => CircuitState::Open,
            (Mode::ForcedClosed, _) | (_, State::Closed) => CircuitState::Closed,
            (_, State::Open) => CircuitState::Open,
            _ => CircuitState::HalfOpen,
        }
    }

    fn go(&mut self, state: State) {
        self.state = state;
        self.era += 1;
        self.forget();
    }

    fn forget(&mut self) {
        (self.bad, self.alone, self.row, self.results) = (Vec::new(), Vec::new(), 0, Vec::new());
    }

    fn set_mode(&mut self, mode: Mode) {
        if mode != self.mode {
            self.mode = mode;
            self.era += 1;
            self.forget();
            (self.live, self.passed, self.failed, self.released) = (0, 0, 0, 0);
            (self.arrived, self.admitted) = (0, 0);
        }
    }

    fn reconfigure(&mut self, settings: Settings) {
        self.settings = settings;
        self.era += 1;
        self.forget();
        (self.live, self.passed, self.failed, self.released) = (0, 0, 0, 0);
    }

    /// The ticket of an admitted call, `None` in it for one that is not judged.
    fn arrive(&mut self, now: u64) -> Result<(Ticket, Option<Transition>), ()> {
        match self.mode {
            Mode::ForcedOpen => Err(()),
            Mode::ForcedClosed => Ok((None, None)),
            Mode::Watching => Ok(self.machine_arrives(now).map_or((None, None), |made| (Some((self.era, now)), made))),
            _ => self.machine_arrives(now).map(|made| (Some((self.era, now)), made)),
        }
    }

    fn machine_arrives(&mut self, now: u64) -> Result<Option<Transition>, ()> {
        match self.state {
            State::Closed => Ok(None),
            State::Open if now < self.opened_until => Err(()),
            State::Open => {
                self.go(State::Trial);
                (self.live, self.passed, self.failed, self.released) = (1, 0, 0, 0);
                (self.news, self.last_admission) = (now, now);
                Ok(Some(Transition::HalfOpened))
            }
            State::Trial => self.arrive_in_trial(now),
            State::Ramp => {
                let (length, from) = self.ramp;
                let elapsed = now - self.ramp_since;
                if elapsed >= length {
                    self.go(State::Closed);
                    self.closed_at = now;
                    return Ok(Some(Transition::Closed));
                }
                self.arrived += 1;
                // share = from + (10 - from) * elapsed / length, in tenths
                let share = from * length + (10 - from) * elapsed;
                // Shares are rounded down to millionths.
                let millionths = share * 100_000 / length;
                let admits = (self.admitted + 1) * 1_000_000 <= millionths * self.arrived;
                self.admitted += u64::from(admits);
                if admits { Ok(None) } else { Err(()) }
            }
        }
    }

    fn arrive_in_trial(&mut self, now: u64) -> Result<Option<Transition>, ()> {
        let (places, passes, failures) = self.settings.trial;
        let has_room = self.live < places && self.live + self.passed + self.failed < passes + failures;
        // A pause is a quarter of the recovery time.
        let rests = self.released >= 10 && 4 * (now - self.last_admission) < self.settings.recovery;
        if has_room && !rests {
            self.live += 1;
        } else if !has_room && self.settings.lease.is_some_and(|lease| now >= self.news + lease) {
            self.era += 1;
            self.live = 1;
        } else {
            return Err(());
        }
        (self.news, self.last_admission) = (now, now);
        Ok(None)
    }

    fn end(&mut self, ticket: Ticket, end: End, now: u64) -> Option<Transition> {
        let (era, began) = ticket?;
        if era != self.era {
            return None;
        }
        let is_slow = self.settings.slow.is_some_and(|slow| now - began >= slow);
        let counts = |class| matches!(class, ErrorClass::Transient | ErrorClass::ServerError);
        let is_alone = |class| class == ErrorClass::Unknown && self.settings.alone.is_some();
        let (class, hint) = match end {
            End::Failure(class, hint) => (Some(class), hint),
            End::Success | End::Drop => (None, None),
        };
        let alone = class.is_some_and(is_alone);
        let bad = alone || class.is_some_and(counts) || is_slow;
        let may_hint = class.is_some_and(|class| is_alone(class) || counts(class) || class == ErrorClass::RateLimit);
        let hinted = may_hint && self.settings.hint_opens.zip(hint).is_some_and(|(least, hint)| hint >= least);
        if matches!(end, End::Drop) && !bad {
            if self.state == State::Trial {
                self.live -= 1;
                self.released += 1;
            }
            return None;
        }
        if self.state == State::Trial {
            return self.end_in_trial(bad, hinted, hint, now);
        }
        let is_success = matches!(end, End::Success);
        let rule = if alone {
            self.alone.push(now);
            let window = self.settings.window;
            let live = self.alone.iter().filter(|at| now - **at < window).count() as u32;
            (Some(live) >= self.settings.alone).then_some(TripRule::Class)
        } else if bad {
            self.record(now)
        } else {
            self.row = 0;
            let at = if is_success && self.settings.slow.is_none() { began } else { now };
            self.results.push((at, false));
            None
        };
        let rule = rule.or_else(|| hinted.then_some(TripRule::Hint))?;
        Some(self.open(rule, hint, now))
    }

    fn record(&mut self, now: u64) -> Option<TripRule> {
        let Settings { window, share, row, min_calls, .. } = self.settings;
        self.bad.push(now);
        self.row += 1;
        self.results.push((now, true));
        let threshold = self.settings.threshold.or_else(|| (share.is_none() && row.is_none()).then_some(5));
        let live = self.bad.iter().filter(|at| now - **at < window).count() as u32;
        if threshold.is_some_and(|threshold| live >= threshold) {
            return Some(TripRule::Count);
        }
        if row.is_some_and(|row| self.row >= row) {
            return Some(TripRule::InARow);
        }
        let tenths = share?;
        self.is_unsure |= self.results.iter().any(|(at, _)| (window * 15 / 16..window).contains(&(now - at)));
        let live: Vec<_> = self.results.iter().filter(|(at, _)| now - at < window).collect();
        let bad = live.iter().filter(|(_, bad)| *bad).count() as u64;
        let calls = live.len() as u64;
        (calls >= u64::from(min_calls) && bad * 10 >= tenths * calls).then_some(TripRule::Ratio)
    }

    fn end_in_trial(&mut self, bad: bool, hinted: bool, hint: Option<u64>, now: u64) -> Option<Transition> {
        let (_, passes, failures) = self.settings.trial;
        self.live -= 1;
        self.released = 0;
        self.news = now;
        if bad || hinted {
            self.failed += 1;
            if hinted {
                return Some(self.open(TripRule::Hint, hint, now));
            }
            return (self.failed > failures).then(|| self.open(TripRule::Trial, hint, now));
        }
        self.passed += 1;
        if self.passed < passes {
            return None;
        }
        if let Some(ramp) = self.settings.ramp {
            self.go(State::Ramp);
            self.ramp = ramp;
            (self.ramp_since, self.arrived, self.admitted) = (now, 0, 0);
            return None;
        }
        self.go(State::Closed);
        self.closed_at = now;
        Some(Transition::Closed)
    }

    fn open(&mut self, rule: TripRule, hint: Option<u64>, now: u64) -> Transition {
        let Settings { recovery, growth, hint_cap, .. } = self.settings;
        let starts_over = self.state == State::Closed && now - self.closed_at >= self.wait;
        self.grown = match growth {
            Some((factor, max)) if !starts_over && self.grown > 0 => (self.grown * factor).min(max),
            _ => recovery,
        };
        let honoured = hint.zip(hint_cap).map_or(0, |(hint, cap)| hint.min(cap));
        self.wait = self.grown.max(honoured);
        self.opened_until = now + self.wait;
        self.rule = Some(rule);
        self.go(State::Open);
        Transition::Opened
    }
}

const CLASSES: [ErrorClass; 5] =
    [ErrorClass::Transient, ErrorClass::ServerError, ErrorClass::RateLimit, ErrorClass::Unknown, ErrorClass::Permanent];

fn draw_end(random: &mut fastrand::Rng) -> End {
    match random.u32(..8) {
        0 => End::Drop,
        1..4 => End::Success,
        _ => End::Failure(CLASSES[random.usize(..5)], random.bool().then(|| random.u64(1..20))),
    }
}

fn end(permit: Permit<'_>, how: End, clock: &VirtualClock) -> Option<Transition> {
    match how {
        End::Success => permit.success(),
        End::Drop => {
            drop(permit);
            None
        }
        End::Failure(class, hint) => {
            let mut seen = Seen::failure(class);
            seen.hint = hint.map(secs);
            permit.report_at(seen, clock.now())
        }
    }
}

/// Attacks C1, C2, C5, C6, C7, C8, C10.
#[test]
fn a_breaker_does_what_the_plain_model_does() {
    let mut random = fastrand::Rng::with_seed(15);
    let (mut rules, mut unsure) = (Vec::new(), 0);
    for case in 0..4_000 {
        let mut settings = Settings::draw(&mut random);
        let clock = VirtualClock::new();
        let breaker = settings.build(&clock);
        let (mut model, mut held) = (Model::new(settings.clone()), Vec::new());
        let mut now = 0;
        let (with_modes, with_reloads) = (random.u32(..4) == 0, random.u32(..4) == 0);
        for step in 0..120 {
            let ahead = [0, 0, 0, 1, 1, 2, 7][random.usize(..7)];
            now += ahead;
            clock.advance(secs(ahead));
            let place = format!("case {case}, step {step} at {now}: {settings:?}");
            if with_modes && random.u32(..25) == 0 {
                let mode = Mode::ALL[random.usize(..4)];
                breaker.set_mode(mode);
                model.set_mode(mode);
            } else if with_reloads && random.u32(..25) == 0 {
                settings = Settings::draw(&mut random);
                let spec = settings.build(&clock).spec();
                if spec != breaker.spec() {
                    model.reconfigure(settings.clone());
                }
                breaker.reconfigure(spec).expect("valid");
            } else if held.is_empty() || random.u32(..100) < 55 {
                match (breaker.try_acquire(), model.arrive(now)) {
                    (Ok(permit), Ok((ticket, made))) => {
                        assert_eq!(permit.transition(), made, "{place}");
                        held.push((permit, ticket));
                    }
                    (Err(rejection), Err(())) => {
                        assert_eq!(rejection.is_forced(), model.mode == Mode::ForcedOpen, "{place}");
                        if model.state == State::Open && model.mode == Mode::Enforcing {
                            assert_eq!(rejection.retry_in(), Some(secs(model.opened_until - now)), "{place}");
                        }
                    }
                    (real, plain) => panic!("{place}: {real:?}, and by the model {plain:?}"),
                }
            } else {
                let (permit, ticket) = held.swap_remove(random.usize(..held.len()));
                let how = draw_end(&mut random);
                let (made, expected) = (end(permit, how, &clock), model.end(ticket, how, now));
                if model.is_unsure {
                    unsure += 1;
                    break;
                }
                let drops_silently = matches!(how, End::Drop);
                assert!(drops_silently || made == expected, "{place}: {how:?} made {made:?}, not {expected:?}");
                if expected == Some(Transition::Opened) {
                    let trip = breaker.last_trip().expect("it opened");
                    assert_eq!((Some(trip.rule), trip.wait), (model.rule, secs(model.wait)), "{place}");
                    let by_ratio = trip.rule == TripRule::Ratio;
                    assert!(!by_ratio || trip.calls >= Some(u64::from(settings.min_calls)), "{place}: {trip:?}");
                    rules.push(trip.rule);
                }
            }
            assert_eq!((breaker.state(), breaker.mode()), (model.shown(), model.mode), "{place}");
        }
    }
    for rule in TripRule::ALL {
        let seen = rules.iter().filter(|seen| *seen == rule).count();
        assert!(seen > 100, "{rule} opened {seen} circuits");
    }
    assert!(unsure < 1_500, "{unsure} cases ended early");
}

fn permits(breaker: &CircuitBreaker, count: usize) -> Vec<Permit<'_>> {
    (0..count).map(|_| breaker.try_acquire().expect("closed")).collect()
}

#[test]
fn a_client_that_drops_every_probe_does_not_probe_at_full_speed() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(40)).clock(clock.clone());
    let breaker = breaker.build().expect("valid");
    breaker.try_acquire().expect("closed").failure(ErrorClass::ServerError);
    clock.advance(secs(40));
    let mut probes = 0;
    for _ in 0..1_000 {
        probes += u32::from(breaker.try_acquire().is_ok());
        clock.advance(Duration::from_millis(40));
    }
    assert_eq!(probes, 10 + 3, "ten at once, then one in 10 s");
    clock.advance(secs(10));
    assert_eq!(breaker.try_acquire().expect("rested").success(), Some(Transition::Closed));
}

#[test]
fn drops_of_slow_calls_open_the_circuit() {
    let clock = VirtualClock::new();
    let builder = CircuitBreaker::builder().failure_threshold(2).slow_call(secs(2)).clock(clock.clone());
    let breaker = builder.build().expect("valid");
    for (took, state) in [(1, CircuitState::Closed), (2, CircuitState::Closed), (3, CircuitState::Open)] {
        let permit = breaker.try_acquire().expect("closed");
        clock.advance(secs(took));
        drop(permit);
        assert_eq!(breaker.state(), state, "after {took} s");
    }
    assert_eq!(breaker.last_trip().map(|trip| (trip.rule, trip.bad)), Some((TripRule::Count, 2)));
}

#[test]
fn jitter_spreads_the_open_wait_and_stays_below_the_cap() {
    let waits: Vec<_> = (0..200)
        .map(|seed| {
            let builder = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(10));
            let breaker =
                builder.recovery_jitter(0.2).recovery_growth(1.0, secs(11)).seed(seed).build().expect("valid");
            breaker.try_acquire().expect("closed").failure(ErrorClass::ServerError);
            breaker.last_trip().expect("it opened").wait
        })
        .collect();
    assert!(waits.iter().all(|wait| (secs(8)..=secs(11)).contains(wait)));
    assert!(waits.iter().any(|wait| *wait < secs(9)) && waits.contains(&secs(11)));
    let mut distinct = waits.clone();
    distinct.sort();
    distinct.dedup();
    assert!(distinct.len() > 100, "{} waits", distinct.len());
}

#[test]
fn a_ramp_admits_a_share_by_credit() {
    let clock = VirtualClock::new();
    let builder = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(1)).ramp(secs(10), 0.2);
    let breaker = builder.clock(clock.clone()).build().expect("valid");
    breaker.try_acquire().expect("closed").failure(ErrorClass::ServerError);
    clock.advance(secs(1));
    assert_eq!(breaker.try_acquire().expect("due").success(), None);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    let admitted = |count: usize| (0..count).filter(|_| breaker.try_acquire().is_ok()).count();
    assert_eq!(admitted(100), 20);
    clock.advance(secs(5));
    assert_eq!(admitted(100), 100, "0.6 of 200, of which 20 were admitted");
    clock.advance(secs(5));
    let closing = breaker.try_acquire().expect("over");
    assert_eq!(closing.transition(), Some(Transition::Closed));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn watching_rejects_nothing_and_judges_only_what_it_would_admit() {
    let clock = VirtualClock::new();
    let builder = CircuitBreaker::builder().failure_threshold(2).recovery_timeout(secs(5)).clock(clock.clone());
    let breaker = builder.build().expect("valid");
    breaker.set_mode(Mode::Watching);
    for permit in permits(&breaker, 2) {
        permit.failure(ErrorClass::ServerError);
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    for _ in 0..10 {
        let permit = breaker.try_acquire().expect("it only watches");
        assert!(permit.is_unjudged());
        assert_eq!(permit.success(), None);
    }
    clock.advance(secs(5));
    let probe = breaker.try_acquire().expect("due");
    assert_eq!((probe.is_unjudged(), probe.transition()), (false, Some(Transition::HalfOpened)));
    assert!(breaker.try_acquire().expect("it only watches").is_unjudged());
    assert_eq!(probe.success(), Some(Transition::Closed));
}

/// Attacks C9.
#[test]
fn a_keyed_breaker_that_knows_something_stays() {
    let clock = VirtualClock::new();
    let settings = CircuitBreaker::builder().failure_ratio(0.5).consecutive_failures(3).window(secs(32));
    let settings = settings.failure_threshold(9).recovery_timeout(secs(5)).recovery_growth(2.0, secs(40));
    let hosts = KeyedBreakers::builder(settings.clock(clock.clone())).capacity(1).build().expect("valid");
    let of = |key: &str| hosts.for_key_at(key, clock.now());
    let takes_the_place = |key: &str| of(key).is_some();
    assert!(takes_the_place("a") && takes_the_place("b"), "a blank one goes");

    of("b").expect("kept").set_mode(Mode::ForcedClosed);
    assert!(!takes_the_place("a"), "it is forced");
    of("b").expect("kept").set_mode(Mode::Enforcing);
    of("b").expect("kept").try_acquire().expect("closed").success();
    assert!(!takes_the_place("a"), "a call counts in its ratio");
    clock.advance(secs(32));
    assert!(takes_the_place("a"), "it is out of date");

    let breaker = of("a").expect("kept");
    breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
    drop(breaker);
    clock.advance(secs(32));
    assert!(!takes_the_place("b"), "a row has no window");
    let breaker = of("a").expect("kept");
    for _ in 0..2 {
        breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    clock.advance(secs(5));
    breaker.try_acquire().expect("due").success();
    drop(breaker);
    assert!(!takes_the_place("b"), "its next wait would be longer than the first one");
    clock.advance(secs(5));
    assert!(takes_the_place("b"), "closed as long as its last wait");
}

/// One breaker for each rule, opened by it, and what it saw.
#[test]
fn a_trip_says_what_the_breaker_saw() {
    type Row = (CircuitBreakerBuilder, u64, TripRule, u64, Option<u64>, bool);
    let breaker = || CircuitBreaker::builder().window(secs(40)).recovery_timeout(secs(7));
    let rows: [Row; 6] = [
        (breaker().class_threshold(ErrorClass::Transient, 2), 0, TripRule::Class, 2, None, true),
        (breaker().failure_threshold(3), 1, TripRule::Count, 3, None, true),
        (breaker().consecutive_failures(2), 1, TripRule::InARow, 2, None, false),
        (breaker().failure_ratio(0.5).min_calls(4), 2, TripRule::Ratio, 2, Some(4), true),
        (breaker().open_on_retry_after(secs(1)), 0, TripRule::Hint, 1, None, false),
        (
            breaker().failure_threshold(1).trial(Trial::new().passes(3).failures(1)),
            0,
            TripRule::Trial,
            2,
            Some(3),
            false,
        ),
    ];
    for (builder, successes, rule, bad, calls, has_window) in rows {
        let clock = VirtualClock::new();
        let breaker = builder.clock(clock.clone()).build().expect("valid");
        let end = |seen: Seen| {
            breaker.try_acquire().expect("admitted").report_at(seen, clock.now());
        };
        (0..successes).for_each(|_| end(Seen::success()));
        let failure = || Seen::failure(ErrorClass::Transient);
        match rule {
            TripRule::Hint => end(failure().retry_after(secs(1))),
            TripRule::Trial => {
                end(failure());
                clock.advance(secs(7));
                [failure(), Seen::success(), failure()].into_iter().for_each(end);
            }
            _ => (0..bad).for_each(|_| end(failure())),
        }
        let trip = breaker.last_trip().expect("it opened");
        let window = has_window.then_some(secs(40));
        assert_eq!((trip.rule, trip.bad, trip.calls, trip.window), (rule, bad, calls, window));
        assert_eq!((trip.wait, breaker.state()), (secs(7), CircuitState::Open), "{rule}");
    }
}

#[test]
fn a_mode_is_the_one_that_was_set() {
    let breaker = CircuitBreaker::builder().build().expect("valid");
    for mode in Mode::ALL.iter().copied() {
        breaker.set_mode(mode);
        assert_eq!(breaker.mode(), mode);
    }
}

/// The time of a permit is that between the instants that it was given.
#[test]
fn a_permit_is_slow_by_the_callers_time() {
    let start = std::time::Instant::now();
    for (took, opens) in [(secs(3), true), (secs(2), false)] {
        let built = || CircuitBreaker::builder().failure_threshold(1).slow_call(secs(3)).build().expect("valid");
        let opened = opens.then_some(Transition::Opened);
        let breaker = built();
        let permit = breaker.try_acquire_at(start).expect("closed");
        assert_eq!(permit.report_at(Seen::success(), start + took), opened);
        let breaker = built();
        let permit = breaker.try_acquire_at(start).expect("closed");
        assert_eq!(permit.release_at(start + took), opened);
    }
}

/// A success counts from where its call began, so it leaves the window by then.
#[test]
fn a_permits_success_counts_from_its_begin() {
    let start = std::time::Instant::now();
    let breaker = CircuitBreaker::builder().failure_ratio(0.7).min_calls(2).window(secs(16)).build().expect("valid");
    for ended in [0, 10, 10] {
        breaker.try_acquire_at(start).expect("closed").report_at(Seen::success(), start + secs(ended));
    }
    let fail = |at: u64| {
        breaker.try_acquire_at(start + secs(at)).expect("closed").failure_at(ErrorClass::Transient, start + secs(at))
    };
    assert_eq!((fail(12), fail(12)), (None, None), "two of five");
    assert_eq!(fail(16), Some(Transition::Opened), "the successes have left");
}

#[test]
fn with_a_limit_for_slow_calls_a_success_counts_from_its_end() {
    let start = std::time::Instant::now();
    let breaker = CircuitBreaker::builder().failure_ratio(0.5).min_calls(3).window(secs(16)).slow_call(secs(11));
    let breaker = breaker.build().expect("valid");
    breaker.try_acquire_at(start).expect("closed").report_at(Seen::success(), start + secs(10));
    let now = start + secs(20);
    let fail = || breaker.try_acquire_at(now).expect("closed").failure_at(ErrorClass::Transient, now);
    assert_eq!((fail(), fail()), (None, Some(Transition::Opened)), "two of three");
}

#[test]
fn a_mode_decides_whether_a_later_call_may_be_admitted() {
    let start = std::time::Instant::now();
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("valid");
    let modes = [Mode::Enforcing, Mode::ForcedOpen, Mode::ForcedClosed, Mode::Watching];
    let admits = || {
        modes.map(|mode| {
            breaker.set_mode(mode);
            breaker.admits_by(start)
        })
    };
    assert_eq!(admits(), [true, false, true, true], "closed");
    breaker.set_mode(Mode::Enforcing);
    breaker.try_acquire_at(start).expect("closed").failure_at(ErrorClass::Transient, start);
    assert_eq!(admits(), [false, false, true, true], "open");
}

#[test]
fn a_trial_that_pauses_tells_when_it_admits() {
    let start = std::time::Instant::now();
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(8)).build().expect("valid");
    breaker.try_acquire_at(start).expect("closed").failure_at(ErrorClass::Transient, start);
    let probes = start + secs(8);
    assert!(!breaker.admits_by(start + secs(7)) && breaker.admits_by(probes));
    for _ in 0..10 {
        assert!(breaker.admits_by(probes));
        drop(breaker.try_acquire_at(probes).expect("a probe"));
    }
    assert!(!breaker.admits_by(probes + secs(1)) && breaker.admits_by(probes + secs(2)));
}

/// A breaker of a user's that has only what it must have.
#[derive(Debug, Default)]
struct Least(std::sync::atomic::AtomicU32);

impl Breaker for Least {
    fn admit(&self, _: std::time::Instant) -> Result<Admission, CircuitOpenError> {
        Err(CircuitOpenError::new(CircuitState::Open, None))
    }

    fn report(&self, _: Admission, report: Report, _: std::time::Instant) -> Option<Transition> {
        (report == Report::Success).then_some(Transition::Closed)
    }

    fn release(&self, _: Admission) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn state(&self) -> CircuitState {
        CircuitState::Open
    }
}

#[test]
fn a_breaker_without_the_optional_methods_knows_nothing_more() {
    let (least, now) = (Least::default(), std::time::Instant::now());
    assert!(least.admit(now).is_err());
    assert_eq!((least.name(), least.open_for(now), least.last_trip()), (None, None, None));
    assert!(least.admits_by(now) && !least.times_attempts());
    let admission = Admission::UNJUDGED;
    assert_eq!(least.report_seen(admission, Seen::success(), now), Some(Transition::Closed));
    assert_eq!(least.report_seen(admission, Seen::failure(ErrorClass::Transient), now), None);
    assert_eq!(least.release_after(admission, secs(1), now), None);
    assert_eq!(least.0.into_inner(), 1);
}
