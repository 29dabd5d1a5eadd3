//! [`Scenario`]: the load, the server, the faults, the length of a run and its seed.

use std::ops::Range;
use std::time::Duration;

use redress_core::error::ConfigIssue;

use crate::clients::Clients;
use crate::clock::{Nanos, SECOND, nanos};
use crate::error::SimulationError;
use crate::fault::Fault;
use crate::load::Load;
use crate::outline::Outline;
use crate::progress::Progress;
use crate::report::Report;
use crate::server::Server;
use crate::world::World;

/// The longest run: about 11 days.
const LONGEST: Duration = Duration::from_secs(1_000_000);

/// A course of events that policies are tried on.
///
/// Built in code, read from a [file](Self::from_toml), or one of those that [come with the
/// crate](Self::named).
///
/// # Defaults
///
/// No name, no faults, 1,000 clients, a `horizon` of 60 s, 0 as `seed`, and trouble from the
/// beginning of the first fault to the end of the last.
///
/// ```
/// use std::time::Duration;
/// use redress::{AsyncPolicy, Retry};
/// use redress_sim::{Clients, Fault, Load, Scenario, Server};
///
/// let secs = Duration::from_secs;
/// let scenario = Scenario::new(Load::steady(70), Server::new(1, Duration::from_millis(10)))
///     .fault(Fault::slow(secs(10), secs(20), 5))
///     .clients(100);
/// let policy = || AsyncPolicy::builder().retry(Retry::default()).attempt_timeout(secs(1));
/// let report = scenario.run(Clients::each(scenario.client_count(), |_| policy()))?;
/// println!("{report}");
/// # Ok::<(), redress_sim::SimulationError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a scenario does nothing until it is run"]
pub struct Scenario {
    name: String,
    about: String,
    load: Load,
    server: Server,
    faults: Vec<Fault>,
    trouble: Option<(Duration, Duration)>,
    clients: u32,
    horizon: Duration,
    seed: u64,
}

impl Scenario {
    /// Creates a scenario without faults.
    pub const fn new(load: Load, server: Server) -> Self {
        Self {
            name: String::new(),
            about: String::new(),
            load,
            server,
            faults: Vec::new(),
            trouble: None,
            clients: 1000,
            horizon: Duration::from_secs(60),
            seed: 0,
        }
    }

    /// Sets the name in summaries and pages.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets a sentence or two on what the scenario shows.
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }

    /// Adds a fault. Faults may overlap: those that make the server slow multiply.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Sets when there is trouble, for reports: what they compare with the time before and after,
    /// and from whose end on they measure the recovery. Default: from the beginning of the first
    /// fault to the end of the last.
    pub const fn trouble(mut self, from: Duration, until: Duration) -> Self {
        self.trouble = Some((from, until));
        self
    }

    /// Sets how many clients the scenario is meant for. The [clients](Self::run) that run it may be
    /// others. Default: 1,000.
    pub const fn clients(mut self, clients: u32) -> Self {
        self.clients = clients;
        self
    }

    /// Sets the length of the run: whole seconds, from 1 to 1,000,000. Default: 60 s.
    pub const fn horizon(mut self, horizon: Duration) -> Self {
        self.horizon = horizon;
        self
    }

    /// Sets the seed of all random choices. Default: 0.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The number of [clients](Self::clients) that it is meant for.
    #[must_use]
    pub const fn client_count(&self) -> u32 {
        self.clients
    }

    /// Its [name](Self::name), empty if it has none.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.name
    }

    /// The [sentence](Self::about) on what it shows, empty if it has none.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.about
    }

    /// Runs the scenario with the policies of these clients.
    ///
    /// Blocks the thread until the run is over. A call that runs at the horizon counts as offered,
    /// and neither as good nor as failed.
    ///
    /// # Errors
    ///
    /// Every rule that the scenario breaks, or those that a client's policy breaks.
    pub fn run(&self, clients: Clients<'_>) -> Result<Report, SimulationError> {
        self.run_watched(clients, |_| {})
    }

    /// Like [`run`](Self::run), and calls `watch` after each second of the run, for a progress bar.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_watched(&self, clients: Clients<'_>, watch: impl FnMut(Progress)) -> Result<Report, SimulationError> {
        let mut issues = self.issues();
        clients.issues(&mut issues);
        if !issues.is_empty() {
            return Err(SimulationError::Scenario(issues));
        }
        World::new(self, clients, watch).run()
    }

    /// Every rule that it breaks.
    pub(crate) fn issues(&self) -> Vec<ConfigIssue> {
        let mut issues = Vec::new();
        self.load.issues(&mut issues);
        self.server.issues(&mut issues);
        for fault in &self.faults {
            fault.issues(&self.server, &mut issues);
        }
        if let Some((_, until)) = self.trouble.filter(|(from, until)| from >= until) {
            issues.push(ConfigIssue::new("scenario.trouble", until, "be later than its start"));
        }
        let is_whole = self.horizon.subsec_nanos() == 0;
        if !is_whole || self.horizon.is_zero() || self.horizon > LONGEST {
            issues.push(ConfigIssue::new("scenario.horizon", self.horizon, "be whole seconds, from 1 to 1000000"));
        }
        issues
    }

    pub(crate) fn outline(&self, clients: u32) -> Outline {
        let seconds = self.horizon.as_secs() as usize;
        let (name, about) = (self.name.clone(), self.about.clone());
        Outline { name, about, clients, seconds, trouble: self.trouble_seconds(seconds) }
    }

    fn trouble_seconds(&self, seconds: usize) -> Option<Range<usize>> {
        let given = self.trouble.map(|(from, until)| (nanos(from), nanos(until)));
        let of_faults = || {
            let from = self.faults.iter().map(|fault| fault.from).min()?;
            Some((from, self.faults.iter().map(|fault| fault.until).max()?))
        };
        let (from, until) = given.or_else(of_faults)?;
        Some(((from / SECOND) as usize).min(seconds)..(until.div_ceil(SECOND) as usize).min(seconds))
    }

    pub(crate) const fn load(&self) -> &Load {
        &self.load
    }

    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    pub(crate) fn horizon_nanos(&self) -> Nanos {
        nanos(self.horizon)
    }

    pub(crate) const fn seed_value(&self) -> u64 {
        self.seed
    }
}
