//! The tables of a scenario file, and the scenario that they make.

use std::fmt;

use redress_core::ErrorClass;
use redress_core::error::{ConfigIssue, ConfigValue};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::fault::Fault;
use crate::load::Load;
use crate::scenario::Scenario;
use crate::server::Server;
use crate::service::ServiceTime;
use crate::span::{self, Span};

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    name: Option<String>,
    about: Option<String>,
    horizon: Span,
    #[serde(default)]
    seed: u64,
    clients: Option<u32>,
    trouble: Option<Trouble>,
    load: LoadTable,
    server: ServerTable,
    #[serde(default)]
    fault: Vec<FaultTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trouble {
    from: Span,
    until: Span,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoadTable {
    rate: Option<u32>,
    #[serde(default)]
    changes: Vec<Change>,
    users: Option<u32>,
    think: Option<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    at: Span,
    rate: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerTable {
    workers: u32,
    service: Service,
    shards: Option<u32>,
    queue_limit: Option<u32>,
    #[serde(default)]
    last_in_first_out: bool,
    drops_below: Option<Span>,
    rate_limit: Option<RateLimit>,
    retry_after: Option<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimit {
    requests: u32,
    window: Span,
}

/// A duration, or a table with the name of a distribution.
#[derive(Debug)]
struct Service(ServiceTime);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Distribution {
    Fixed(Span),
    Exponential(Span),
    Uniform(Span, Span),
    Mixed(Mixed),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mixed {
    usual: Span,
    rare: Span,
    share: f64,
}

/// A fault, with the part of the server that it concerns.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum FaultTable {
    StandsStill { from: Span, until: Span, shard: Option<u32> },
    Slow { from: Span, until: Span, shard: Option<u32>, times: u32 },
    Cold { from: Span, until: Span, shard: Option<u32>, share: f64 },
    Errors { from: Span, until: Span, shard: Option<u32>, share: f64, class: Class, retry_after: Option<Span> },
    Stops { from: Span, until: Span, shard: Option<u32> },
    Deploys { from: Span, until: Span, shard: Option<u32>, at_once: u32 },
}

#[derive(Debug)]
struct Class(ErrorClass);

impl Document {
    /// The scenario, and the rules that the file breaks and a scenario cannot.
    pub(crate) fn scenario(self) -> (Scenario, Vec<ConfigIssue>) {
        let mut issues = Vec::new();
        let load = self.load.load(&mut issues);
        let mut scenario = Scenario::new(load, self.server.server())
            .name(self.name.unwrap_or_default())
            .about(self.about.unwrap_or_default())
            .horizon(self.horizon.0)
            .seed(self.seed);
        if let Some(clients) = self.clients {
            scenario = scenario.clients(clients);
        }
        if let Some(Trouble { from, until }) = self.trouble {
            scenario = scenario.trouble(from.0, until.0);
        }
        for fault in self.fault {
            scenario = scenario.fault(fault.fault());
        }
        (scenario, issues)
    }
}

impl LoadTable {
    fn load(self, issues: &mut Vec<ConfigIssue>) -> Load {
        let Self { rate, changes, users, think } = self;
        let load = match (rate, users) {
            (Some(rate), None) => Load::steady(rate),
            (None, Some(users)) => Load::users(users, think.map_or_else(Default::default, |think| think.0)),
            (Some(_), Some(users)) => {
                issues.push(ConfigIssue::new("load.users", users, "be left out if there is a `rate`"));
                Load::steady(0)
            }
            (None, None) => {
                issues.push(ConfigIssue::new("load.rate", ConfigValue::Unset, "be set, or `users`"));
                Load::steady(0)
            }
        };
        if let (None, Some(think)) = (users, think) {
            issues.push(ConfigIssue::new("load.think", think.0, "come with `users`"));
        }
        changes.into_iter().fold(load, |load, Change { at, rate }| load.then(at.0, rate))
    }
}

impl ServerTable {
    fn server(self) -> Server {
        // The service time is the next setting.
        let mut server = Server::new(self.workers, std::time::Duration::ZERO).service(self.service.0);
        if let Some(shards) = self.shards {
            server = server.shards(shards);
        }
        if let Some(limit) = self.queue_limit {
            server = server.queue_limit(limit);
        }
        if self.last_in_first_out {
            server = server.last_in_first_out();
        }
        if let Some(least) = self.drops_below {
            server = server.drops_below(least.0);
        }
        if let Some(RateLimit { requests, window }) = self.rate_limit {
            server = server.rate_limit(requests, window.0);
        }
        if let Some(hint) = self.retry_after {
            server = server.retry_after(hint.0);
        }
        server
    }
}

impl FaultTable {
    fn fault(self) -> Fault {
        let (fault, shard) = match self {
            Self::StandsStill { from, until, shard } => (Fault::stands_still(from.0, until.0), shard),
            Self::Slow { from, until, shard, times } => (Fault::slow(from.0, until.0, times), shard),
            Self::Cold { from, until, shard, share } => (Fault::cold(from.0, until.0, share), shard),
            Self::Errors { from, until, shard, share, class, retry_after } => {
                let fault = Fault::errors(from.0, until.0, share, class.0);
                (retry_after.into_iter().fold(fault, |fault, hint| fault.retry_after(hint.0)), shard)
            }
            Self::Stops { from, until, shard } => (Fault::stops(from.0, until.0), shard),
            Self::Deploys { from, until, shard, at_once } => (Fault::deploys(from.0, until.0, at_once), shard),
        };
        shard.into_iter().fold(fault, Fault::on_shard)
    }
}

impl<'de> Deserialize<'de> for Service {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Service;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}, or a table with one distribution", span::RULE)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Service, E> {
                let time = span::parse(text)
                    .ok_or_else(|| E::custom(format_args!("expected {}, found {text:?}", span::RULE)))?;
                Ok(Service(ServiceTime::Fixed(time)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Service, A::Error> {
                let distribution = Distribution::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Service(match distribution {
                    Distribution::Fixed(time) => ServiceTime::Fixed(time.0),
                    Distribution::Exponential(mean) => ServiceTime::Exponential(mean.0),
                    Distribution::Uniform(from, to) => ServiceTime::Uniform(from.0, to.0),
                    Distribution::Mixed(Mixed { usual, rare, share }) => {
                        ServiceTime::Mixed { usual: usual.0, rare: rare.0, share }
                    }
                }))
            }
        }
        from.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Class {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        ErrorClass::from_name(&name).map(Self).ok_or_else(|| {
            let names: Vec<&str> = ErrorClass::ALL.iter().map(|class| class.as_str()).collect();
            D::Error::custom(format_args!("no class {name:?}: expected one of {}", names.join(", ")))
        })
    }
}
