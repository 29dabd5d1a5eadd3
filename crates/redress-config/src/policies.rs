//! [`Policies`], the built policies of a file, and how a changed file replaces them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use redress_core::classify::DefaultClassifier;
use redress_core::policy::{Async, AsyncPolicy, Blocking, PolicyBuilder};
use redress_core::{Budget, CircuitBreaker, ConfigError, Policy};

use crate::changes::Changes;
use crate::contained::contained;
use crate::file::PolicyFile;
use crate::keys::file::POLICIES;
use crate::live::{Commit, Live, Slot, SlotOf};
use crate::nearest::nearest;
use crate::parts::{Parts, PolicyParts};
use crate::path::Path;
use crate::problem::FileError;

/// The policies of a file, built, with the breakers and budgets that they share.
///
/// A clone shares everything with the original. [`get`](Self::get) and its siblings return a
/// [`Live`] policy, which follows the file: [`reload`](Self::reload) replaces what is in it.
///
/// ```
/// use redress::config::{Policies, PolicyFile};
///
/// let text = "[breaker.db]\n[policy.orders]\nbreaker = 'db'\nretry = { max_attempts = 4 }\n";
/// let policies = Policies::new(PolicyFile::parse(text, "policies.toml")?)?;
/// let orders = policies.get("orders")?;
/// assert_eq!(orders.load().call(|| Ok::<_, std::io::Error>(7)).ok(), Some(7));
///
/// let changed = PolicyFile::parse(&text.replace('4', "2"), "policies.toml")?;
/// let changes = policies.reload(changed)?;
/// assert_eq!(changes.to_string(), "policy.orders.retry.max_attempts: 4 -> 2");
/// assert_eq!(orders.load().max_attempts(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Policies {
    inner: Arc<Inner>,
}

struct Inner {
    /// Held during a reload, so that one follows the other.
    reloads: Mutex<()>,
    state: Mutex<State>,
}

/// What the file and its policies are now. The lock is never held while code of users runs.
struct State {
    file: PolicyFile,
    parts: Parts,
    slots: Vec<Weak<dyn Slot>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code of users runs under a lock, and a reload that panics has changed nothing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Policies {
    /// Builds the policies of a file.
    ///
    /// # Errors
    ///
    /// If the file was [made from specs](PolicyFile::of_specs) that break a rule. A file that was
    /// read is checked already.
    pub fn new(file: PolicyFile) -> Result<Self, FileError> {
        let parts = Parts::of_file(&file, &Parts::default())?.parts;
        let state = State { file, parts, slots: Vec::new() };
        Ok(Self { inner: Arc::new(Inner { reloads: Mutex::default(), state: Mutex::new(state) }) })
    }

    /// The blocking policy of this name.
    ///
    /// # Errors
    ///
    /// If the file has no policy of this name.
    pub fn get(&self, name: &str) -> Result<Live<Policy>, PolicyError> {
        self.get_with(name, PolicyBuilder::<DefaultClassifier, Blocking>::build)
    }

    /// What `make` builds from the policy of this name: a policy with a classifier, observers and
    /// hooks, which no file has, or a client with the policy in it.
    ///
    /// `make` is called again when a reload changes the policy, at times twice.
    ///
    /// ```
    /// use redress::config::{Policies, PolicyFile};
    /// use redress::{Classification, error_classifier, ErrorClass};
    ///
    /// let policies = Policies::new(PolicyFile::parse("[policy.orders]\nretry = {}\n", "policies.toml")?)?;
    /// let orders = policies.get_with("orders", |builder| {
    ///     builder.classifier(error_classifier(|_: &String| ErrorClass::Permanent)).build()
    /// })?;
    /// assert!(orders.load().call(|| Err::<(), _>("no such order".to_owned())).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the file has no policy of this name, or if `make` fails.
    pub fn get_with<P: Send + Sync + 'static>(
        &self,
        name: &str,
        make: impl Fn(PolicyBuilder<DefaultClassifier, Blocking>) -> Result<P, ConfigError> + Send + Sync + 'static,
    ) -> Result<Live<P>, PolicyError> {
        self.register(name, move |parts| make(parts.blocking()))
    }

    /// The asynchronous policy of this name, with the timer that the caller's type names.
    ///
    /// ```
    /// use redress::config::{Live, Policies, PolicyFile};
    /// use redress::runtime::tokio::AsyncPolicy;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let policies = Policies::new(PolicyFile::parse("[policy.orders]\nretry = {}\n", "policies.toml")?)?;
    /// let orders: Live<AsyncPolicy> = policies.get_async("orders")?;
    /// assert_eq!(orders.load().call(|| async { Ok::<_, std::io::Error>(7) }).await?, 7);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the file has no policy of this name.
    pub fn get_async<Tm>(&self, name: &str) -> Result<Live<AsyncPolicy<DefaultClassifier, Tm>>, PolicyError>
    where
        Tm: Default + Send + Sync + 'static,
    {
        self.get_async_with(name, PolicyBuilder::<DefaultClassifier, Async<Tm>>::build)
    }

    /// What `make` builds from the asynchronous policy of this name; see
    /// [`get_with`](Self::get_with). The timer is the first type argument:
    /// `policies.get_async_with::<TokioTimer, _>("orders", |builder| ..)`.
    ///
    /// # Errors
    ///
    /// If the file has no policy of this name, or if `make` fails.
    pub fn get_async_with<Tm, P>(
        &self,
        name: &str,
        make: impl Fn(PolicyBuilder<DefaultClassifier, Async<Tm>>) -> Result<P, ConfigError> + Send + Sync + 'static,
    ) -> Result<Live<P>, PolicyError>
    where
        Tm: Default + 'static,
        P: Send + Sync + 'static,
    {
        self.register(name, move |parts| make(parts.asynchronous()))
    }

    /// Builds a live policy and adds it to those that follow the file.
    fn register<P: Send + Sync + 'static>(
        &self,
        name: &str,
        make: impl Fn(&PolicyParts) -> Result<P, ConfigError> + Send + Sync + 'static,
    ) -> Result<Live<P>, PolicyError> {
        let mut parts = self.parts_of(name)?;
        let first = make(&parts).map_err(|error| PolicyError::refused(name, error))?;
        let slot = Arc::new(SlotOf::new(name.to_owned(), first, make));
        loop {
            let mut state = lock(&self.inner.state);
            match state.parts.policy(name) {
                // A reload came between the look-up and now.
                Some(now) if !Arc::ptr_eq(now, &parts) => parts = Arc::clone(now),
                _ => {
                    let registered: Arc<dyn Slot> = slot.clone();
                    state.slots.retain(|slot| slot.strong_count() > 0);
                    state.slots.push(Arc::downgrade(&registered));
                    return Ok(Live::new(slot));
                }
            }
            drop(state);
            slot.clone().prepare(&parts).map_err(|error| PolicyError::refused(name, error))?();
        }
    }

    fn parts_of(&self, name: &str) -> Result<Arc<PolicyParts>, PolicyError> {
        let state = lock(&self.inner.state);
        let found = state.parts.policy(name).cloned();
        found.ok_or_else(|| PolicyError::unknown(name, state.file.policies().map(|policy| policy.name())))
    }

    /// The shared breaker of this name.
    #[must_use]
    pub fn breaker(&self, name: &str) -> Option<CircuitBreaker> {
        lock(&self.inner.state).parts.breaker(name)
    }

    /// The shared budget of this name.
    #[must_use]
    pub fn budget(&self, name: &str) -> Option<Budget> {
        lock(&self.inner.state).parts.budget(name)
    }

    /// The file that the policies are of now.
    #[must_use]
    pub fn file(&self) -> PolicyFile {
        lock(&self.inner.state).file.clone()
    }

    /// Takes over a changed file. Returns what changed.
    ///
    /// Parts are found by name. What has not changed keeps its object, and the same file again
    /// changes nothing. A changed breaker or budget is reconfigured in place: the circuit's state,
    /// its open wait and mode stay, and so do the grants of a window and the balance of an earned
    /// budget. Only a breaker with another name for events and a budget of another kind are new
    /// objects. A strategy that has learned is kept if its settings are the same.
    ///
    /// Each [`Live`] policy whose settings or parts changed is built again. Calls that run end on
    /// the policy that they began with. A live policy that the file no longer has stays as it is
    /// until it is dropped, or until a file has it again.
    ///
    /// `make` of [`get_with`](Self::get_with) must not call this method.
    ///
    /// # Errors
    ///
    /// If `make` of a live policy fails, or if the file was made from specs that break a rule.
    /// Nothing is changed then.
    pub fn reload(&self, file: PolicyFile) -> Result<Changes, FileError> {
        let _one_at_a_time = lock(&self.inner.reloads);
        let old = {
            let state = lock(&self.inner.state);
            (state.file.clone(), state.parts.clone())
        };
        let next = Parts::of_file(&file, &old.1)?;
        let changes = Changes::between(&old.0, &file);
        let mut prepared: Vec<(Arc<dyn Slot>, Option<Commit>)> = Vec::new();
        loop {
            let mut state = lock(&self.inner.state);
            let all = state.slots.iter().filter_map(Weak::upgrade);
            let is_new = |slot: &Arc<dyn Slot>| !prepared.iter().any(|(known, _)| Arc::ptr_eq(known, slot));
            let added: Vec<_> = all.filter(is_new).collect();
            if added.is_empty() {
                next.reconfigure(&file)?;
                (state.file, state.parts) = (file, next.parts.clone());
                state.slots.retain(|slot| slot.strong_count() > 0);
                break;
            }
            drop(state);
            for slot in added {
                let commit = prepare(&slot, &old.1, &next.parts)
                    .map_err(|error| file.refused(&Path::of([POLICIES, slot.name()]), &error))?;
                prepared.push((slot, commit));
            }
        }
        for (slot, commit) in prepared {
            let Some(commit) = commit else { continue };
            // Built after its breaker was reconfigured, a policy tells it what it wants to know on
            // the fast path.
            let again = || contained(|| prepare(&slot, &old.1, &next.parts));
            match next.is_reconfigured(slot.name()).then(again) {
                Some(Ok(Ok(Some(again)))) => again(),
                _ => commit(),
            }
        }
        Ok(changes)
    }
}

/// Builds a live policy again if it changed.
fn prepare(slot: &Arc<dyn Slot>, old: &Parts, new: &Parts) -> Result<Option<Commit>, ConfigError> {
    match (old.policy(slot.name()), new.policy(slot.name())) {
        (Some(old), Some(new)) if Arc::ptr_eq(old, new) => Ok(None),
        (_, Some(new)) => Arc::clone(slot).prepare(new).map(Some),
        (_, None) => Ok(None),
    }
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies").field("file", &self.file()).finish_non_exhaustive()
    }
}

/// Why there is no live policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    name: String,
    kind: PolicyErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PolicyErrorKind {
    Unknown { nearest: Option<String> },
    Refused(ConfigError),
}

impl PolicyError {
    fn unknown<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Self {
        let nearest = nearest(name, known).map(str::to_owned);
        Self { name: name.to_owned(), kind: PolicyErrorKind::Unknown { nearest } }
    }

    fn refused(name: &str, error: ConfigError) -> Self {
        Self { name: name.to_owned(), kind: PolicyErrorKind::Refused(error) }
    }

    /// The name of the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the file has no policy of this name.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self.kind, PolicyErrorKind::Unknown { .. })
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            PolicyErrorKind::Unknown { nearest: Some(nearest) } => {
                write!(f, "the file has no policy `{}`: did you mean `{nearest}`?", self.name)
            }
            PolicyErrorKind::Unknown { nearest: None } => write!(f, "the file has no policy `{}`", self.name),
            PolicyErrorKind::Refused(_) => write!(f, "policy `{}` could not be built", self.name),
        }
    }
}

/// The source is the error of the builder, if there is one.
impl std::error::Error for PolicyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            PolicyErrorKind::Unknown { .. } => None,
            PolicyErrorKind::Refused(error) => Some(error),
        }
    }
}
