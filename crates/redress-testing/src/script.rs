//! Operations that follow a script.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::clock::VirtualClock;
use crate::lock::lock;
use crate::timer::VirtualSleep;

/// An operation that performs one scripted step per run.
///
/// A run after the last step panics, so that a test with more attempts than intended fails; end the
/// script with [`forever`](Self::forever) if any number of runs is correct. Concurrent runs take
/// their steps in the order in which they start.
///
/// A handle: clones follow the same script, so keep one to inspect it afterwards.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use redress::{Policy, Retry};
/// use redress::testing::{Script, instant_retries};
///
/// let policy = Policy::builder().retry(Retry::builder().strategy(instant_retries())).build()?;
/// let script = Script::new().err(Error::from(ErrorKind::ConnectionReset)).ok(7);
/// assert_eq!(policy.call(script.run())?, 7);
/// assert_eq!(script.calls(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Script<T, E> {
    shared: Arc<Mutex<Progress<T, E>>>,
}

struct Progress<T, E> {
    steps: VecDeque<Step<T, E>>,
    forever: Option<(Option<Pause>, Forever<T, E>)>,
    /// The pause before the next step to be added.
    pause: Option<Pause>,
    calls: usize,
}

type Forever<T, E> = Arc<dyn Fn() -> Result<T, E> + Send + Sync>;

struct Step<T, E> {
    pause: Option<Pause>,
    act: Act<T, E>,
}

#[derive(Clone)]
struct Pause {
    clock: VirtualClock,
    duration: Duration,
}

enum Act<T, E> {
    Return(Result<T, E>),
    Make(Forever<T, E>),
    Panic(String),
    Pend,
}

impl<T, E> Script<T, E> {
    /// Creates a script without steps.
    #[must_use]
    pub fn new() -> Self {
        let progress = Progress { steps: VecDeque::new(), forever: None, pause: None, calls: 0 };
        Self { shared: Arc::new(Mutex::new(progress)) }
    }

    /// Adds a step that returns `value`.
    #[must_use]
    pub fn ok(self, value: T) -> Self {
        self.step(Act::Return(Ok(value)))
    }

    /// Adds a step that returns `error`.
    #[must_use]
    pub fn err(self, error: E) -> Self {
        self.step(Act::Return(Err(error)))
    }

    /// Makes the next step to be added, including [`forever`](Self::forever), take `duration` on
    /// `clock`. A blocking run advances the clock; an asynchronous one waits on it, so that an
    /// attempt timeout can apply.
    ///
    /// ```
    /// use std::io;
    /// use std::time::Duration;
    /// use redress::Policy;
    /// use redress::testing::{Script, VirtualClock};
    ///
    /// let clock = VirtualClock::new();
    /// let policy = Policy::builder().clock(clock.clone()).build()?;
    /// let script = Script::<_, io::Error>::new().after(&clock, Duration::from_secs(3)).ok("slow");
    /// assert_eq!(policy.execute(script.run()).elapsed(), Duration::from_secs(3));
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    #[must_use]
    pub fn after(self, clock: &VirtualClock, duration: Duration) -> Self {
        lock(&self.shared).pause = Some(Pause { clock: clock.clone(), duration });
        self
    }

    /// Adds a step that panics with this message.
    #[must_use]
    pub fn panics(self, message: impl Into<String>) -> Self {
        self.step(Act::Panic(message.into()))
    }

    /// Adds a step that never completes, for asynchronous runs. A blocking run panics there instead
    /// of hanging.
    #[must_use]
    pub fn pending(self) -> Self {
        self.step(Act::Pend)
    }

    /// Sets the result of every run after the last step.
    #[must_use]
    pub fn forever(self, make: impl Fn() -> Result<T, E> + Send + Sync + 'static) -> Self {
        {
            let mut progress = lock(&self.shared);
            progress.forever = Some((progress.pause.take(), Arc::new(make)));
        }
        self
    }

    /// Returns how many runs have started.
    #[must_use]
    pub fn calls(&self) -> usize {
        lock(&self.shared).calls
    }

    /// Returns how many steps are left, not counting [`forever`](Self::forever).
    #[must_use]
    pub fn steps_left(&self) -> usize {
        lock(&self.shared).steps.len()
    }

    /// Returns the script as a blocking operation.
    ///
    /// # Panics
    ///
    /// The operation panics if no step is left, at a [`pending`](Self::pending) step, and at a
    /// [`panics`](Self::panics) step.
    pub fn run(&self) -> impl Fn() -> Result<T, E> + use<T, E> {
        let script = self.clone();
        move || {
            let Step { pause, act } = script.next_step();
            if let Some(pause) = pause {
                pause.clock.advance(pause.duration);
            }
            let Some(result) = act.perform() else {
                panic!("a step of the script is pending: a blocking operation would hang there forever");
            };
            result
        }
    }

    /// Returns the script as an asynchronous operation. A run takes its step when it is created,
    /// not when it is first polled.
    ///
    /// # Panics
    ///
    /// The operation panics if no step is left; its future panics at a [`panics`](Self::panics)
    /// step.
    pub fn run_async(&self) -> impl Fn() -> ScriptRun<T, E> + use<T, E> {
        let script = self.clone();
        move || ScriptRun::new(script.next_step())
    }

    fn step(self, act: Act<T, E>) -> Self {
        {
            let mut progress = lock(&self.shared);
            let pause = progress.pause.take();
            progress.steps.push_back(Step { pause, act });
        }
        self
    }

    fn next_step(&self) -> Step<T, E> {
        let mut progress = lock(&self.shared);
        progress.calls += 1;
        if let Some(step) = progress.steps.pop_front() {
            return step;
        }
        let Some((pause, make)) = progress.forever.clone() else {
            panic!(
                "the script is exhausted: run {} has no step; add one, or end the script with `forever`",
                progress.calls
            );
        };
        Step { pause, act: Act::Make(make) }
    }
}

impl<T, E> Act<T, E> {
    /// The result of the run; `None` if it never completes.
    fn perform(self) -> Option<Result<T, E>> {
        match self {
            Self::Return(result) => Some(result),
            Self::Make(make) => Some(make()),
            Self::Panic(message) => panic!("{message}"),
            Self::Pend => None,
        }
    }
}

/// One run of a [`Script`] as an asynchronous operation. Returned by the closure of
/// [`Script::run_async`].
#[must_use = "a run does nothing unless it is polled"]
pub struct ScriptRun<T, E> {
    pause: Option<VirtualSleep>,
    /// Taken when it is performed.
    act: Option<Act<T, E>>,
}

// No field is structurally pinned: the pause is `Unpin`, and the result is only moved out.
impl<T, E> Unpin for ScriptRun<T, E> {}

impl<T, E> ScriptRun<T, E> {
    fn new(step: Step<T, E>) -> Self {
        let pause = step.pause.map(|pause| VirtualSleep::new(&pause.clock, pause.duration, false));
        Self { pause, act: Some(step.act) }
    }
}

impl<T, E> Future for ScriptRun<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(pause) = &mut self.pause {
            ready!(Pin::new(pause).poll(cx));
        }
        self.pause = None;
        match self.act.take().and_then(Act::perform) {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
    }
}

impl<T, E> Clone for Script<T, E> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T, E> Default for Script<T, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, E> fmt::Debug for Script<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("calls", &self.calls()).field("steps_left", &self.steps_left()).finish()
    }
}

impl<T, E> fmt::Debug for ScriptRun<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptRun").field("pause", &self.pause).finish_non_exhaustive()
    }
}
