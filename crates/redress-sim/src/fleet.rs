//! The clients of a run: which policy each has, and whose circuits are open.
//!
//! A client has a policy from its first call on. If nothing that its calls did would be remembered,
//! it gives the policy back when they are over, and the next client takes it.

use redress_core::ConfigError;
use redress_core::breaker::CircuitState;

use crate::clients::{ClientPolicy, Clients, Made};
use crate::clock::SimTimer;

/// Stands for no policy.
const NONE: u32 = u32::MAX;

pub(crate) struct Fleet<'p> {
    clients: Clients<'p>,
    /// The place of each client's policy; one entry if all share it.
    places: Vec<u32>,
    policies: Vec<Held>,
    /// Policies that are as new.
    unused: Vec<u32>,
    circuits: Circuits,
}

struct Held {
    policy: ClientPolicy,
    calls: u32,
    /// Whether something is remembered that a new policy would not know.
    is_marked: bool,
    forgets_success: bool,
    state: Option<CircuitState>,
}

/// How many clients have a circuit in these states.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Circuits {
    pub(crate) open: u64,
    pub(crate) half_open: u64,
}

impl<'p> Fleet<'p> {
    pub(crate) fn new(clients: Clients<'p>) -> Self {
        let places = if clients.are_sharing() { 1 } else { clients.count() };
        let places = vec![NONE; places as usize];
        Self { clients, places, policies: Vec::new(), unused: Vec::new(), circuits: Circuits::default() }
    }

    pub(crate) const fn count(&self) -> u32 {
        self.clients.count()
    }

    pub(crate) const fn circuits(&self) -> Circuits {
        self.circuits
    }

    /// Makes the policy of the first client, which another may take.
    pub(crate) fn check(&mut self, timer: &SimTimer) -> Result<(), ConfigError> {
        self.begin(0, timer)?;
        self.end(0, false);
        Ok(())
    }

    /// The policy of a client, for a call that begins.
    pub(crate) fn begin(&mut self, client: u32, timer: &SimTimer) -> Result<&ClientPolicy, ConfigError> {
        let index = self.index(client);
        if self.places[index] == NONE {
            self.places[index] = match self.unused.pop() {
                Some(place) => place,
                None => self.add(client, timer)?,
            };
        }
        let held = &mut self.policies[self.places[index] as usize];
        held.calls += 1;
        Ok(&held.policy)
    }

    /// Ends a call of a client. `marks` says that it did something else than succeed at once.
    pub(crate) fn end(&mut self, client: u32, marks: bool) {
        let index = self.index(client);
        let place = self.places[index];
        let held = &mut self.policies[place as usize];
        held.calls -= 1;
        held.is_marked |= marks;
        if held.calls == 0 && !held.is_marked && held.forgets_success {
            self.places[index] = NONE;
            self.unused.push(place);
        }
    }

    /// Notes the state of a client's circuit after something happened to it.
    pub(crate) fn note_circuit(&mut self, client: u32) {
        let index = self.index(client);
        let held = &mut self.policies[self.places[index] as usize];
        let state = held.policy.circuit_state();
        if held.state == state {
            return;
        }
        let weight = if self.clients.are_sharing() { u64::from(self.clients.count()) } else { 1 };
        self.circuits.change(held.state, |count| count - weight);
        self.circuits.change(state, |count| count + weight);
        held.state = state;
    }

    fn add(&mut self, client: u32, timer: &SimTimer) -> Result<u32, ConfigError> {
        let Made { policy, forgets_success } = self.clients.make(client, timer)?;
        let state = policy.circuit_state();
        self.policies.push(Held { policy, calls: 0, is_marked: false, forgets_success, state });
        Ok(u32::try_from(self.policies.len() - 1).expect("there are fewer policies than clients"))
    }

    fn index(&self, client: u32) -> usize {
        if self.clients.are_sharing() { 0 } else { client as usize }
    }
}

impl Circuits {
    fn change(&mut self, state: Option<CircuitState>, to: impl FnOnce(u64) -> u64) {
        match state {
            Some(CircuitState::Open) => self.open = to(self.open),
            Some(CircuitState::HalfOpen) => self.half_open = to(self.half_open),
            _ => {}
        }
    }
}
