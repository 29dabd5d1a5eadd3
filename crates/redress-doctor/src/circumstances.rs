//! What a policy does not know about itself: traffic, the layers around it, and how it is called.

use std::borrow::Cow;

/// The share of calls that fail while the dependency is healthy, if none is given.
const USUAL_ERRORS: f64 = 0.01;

/// What is known about the use of a policy. Each part makes more checks possible.
///
/// # Defaults
///
/// No traffic, no other layers, an asynchronous driver.
///
/// ```
/// use redress::doctor::{Circumstances, Traffic};
///
/// let used = Circumstances::new().traffic(Traffic::new(700.0, 1_000)).layer("mesh", 2);
/// assert_eq!(used.layers[0].attempts, 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Circumstances {
    /// The calls made through the policy; `None` if they are not known.
    pub traffic: Option<Traffic>,
    /// The other layers that send requests again between the caller and the dependency.
    pub layers: Vec<Layer>,
    /// Whether calls run on the calling thread, where a running attempt cannot be cut.
    pub blocking: bool,
}

impl Circumstances {
    /// Nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the calls made through the policy.
    #[must_use]
    pub const fn traffic(mut self, traffic: Traffic) -> Self {
        self.traffic = Some(traffic);
        self
    }

    /// Adds a layer that makes up to `attempts` attempts for each request it is given, such as the
    /// retries of an SDK or of a service mesh.
    #[must_use]
    pub fn layer(mut self, name: impl Into<Cow<'static, str>>, attempts: u32) -> Self {
        self.layers.push(Layer { name: name.into(), attempts });
        self
    }

    /// Declares that calls run on the calling thread.
    #[must_use]
    pub const fn blocking(mut self) -> Self {
        self.blocking = true;
        self
    }
}

/// The calls made through a policy by all clients together.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Traffic {
    /// Calls a second of all clients together, retries not counted.
    pub calls_per_second: f64,
    /// The clients: processes, each with a breaker and a budget.
    pub clients: u32,
    /// The share of calls that fail for good while the dependency is healthy, between 0 and 1.
    /// Default: 0.01.
    pub error_share: f64,
}

impl Traffic {
    /// So many calls a second from so many clients, of which 1 % fail while the dependency is
    /// healthy. No clients count as one.
    #[must_use]
    pub fn new(calls_per_second: f64, clients: u32) -> Self {
        Self { calls_per_second, clients: clients.max(1), error_share: USUAL_ERRORS }
    }

    /// Sets the share of calls that fail for good while the dependency is healthy.
    #[must_use]
    pub const fn error_share(mut self, share: f64) -> Self {
        self.error_share = share;
        self
    }

    /// The calls a second of one client.
    #[must_use]
    pub fn of_one_client(&self) -> f64 {
        self.calls_per_second / f64::from(self.clients.max(1))
    }
}

/// A layer that sends requests again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layer {
    /// What it is called, such as `sdk`.
    pub name: Cow<'static, str>,
    /// How many attempts it makes for each request, the first one included.
    pub attempts: u32,
}
