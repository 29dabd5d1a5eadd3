//! The pages of `docs/guide` as documentation, so that doctests compile every snippet, and run
//! those that can run.
//!
//! Also holds the test that every name in `docs/from-python.md` exists. Not published.

#![forbid(unsafe_code)]

/// Makes each page the documentation of a type that exists only in doctests.
macro_rules! pages {
    ($($page:ident = $file:literal),* $(,)?) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../../../docs/guide/", $file))]
            struct $page;
        )*
    };
}

pages! {
    Start = "start.md",
    EntryPoint = "entry-point.md",
    Presets = "presets.md",
    Errors = "errors.md",
    Macros = "macros.md",
    Backoff = "backoff.md",
    BlockingTools = "blocking-tools.md",
    Workers = "workers.md",
    Queues = "queues.md",
    HttpClients = "http-clients.md",
    Llm = "llm.md",
    TowerServices = "tower-services.md",
    Deadlines = "deadlines.md",
    Grpc = "grpc.md",
    Aws = "aws.md",
    Redis = "redis.md",
    Sql = "sql.md",
    PerHost = "per-host.md",
    Sizing = "sizing.md",
    Overload = "overload.md",
    Simulation = "simulation.md",
    Replay = "replay.md",
    PolicyFiles = "policy-files.md",
    Cancellation = "cancellation.md",
    DoubleRetries = "double-retries.md",
    Observability = "observability.md",
    OwnObserver = "own-observer.md",
    Incident = "incident.md",
    Doctor = "doctor.md",
    Testing = "testing.md",
    Migrating = "migrating.md",
    SideBySide = "side-by-side.md",
}

/// Generated from `docs/from-python.md` by the build script.
#[cfg(doctest)]
#[doc = include_str!(concat!(env!("OUT_DIR"), "/from-python.md"))]
struct FromPython;
