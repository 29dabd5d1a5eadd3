//! A service with three dependencies, and five minutes of an incident as its operator sees them.
//!
//! `cargo run -p redress-incident` plays them in five seconds; `--speed 1` takes five minutes.
//! `docs/guide/incident.md` explains the example. Begin with `checkout.rs`, the service, and
//! `policies.rs`.

#![forbid(unsafe_code)]

mod checkout;
mod policies;

mod telemetry;
mod clock;

mod database;
mod health;
mod inventory;
mod payments;

mod caller;
mod collector;
mod story;

mod minutes;
mod page;
mod traces;

use std::time::Duration;

use clap::Parser;
use redress::AbortHandle;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing::level_filters::LevelFilter;

use crate::caller::Caller;
use crate::checkout::Backends;
use crate::clock::StoryClock;
use crate::collector::Collector;
use crate::database::Database;
use crate::health::Health;
use crate::policies::Policies;
use crate::story::Story;
use crate::telemetry::Telemetry;

/// Five minutes of an incident, as the operator of a service sees them.
#[derive(Parser)]
struct Args {
    /// Seconds of the story per second: 1 is real time, 60 plays a minute in a second. A busy
    /// machine may be slower.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100))]
    speed: u32,
    /// The least severe level of the log: `debug` shows each rejection, `trace` each attempt.
    #[arg(long, default_value = "info")]
    log: LevelFilter,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let clock = StoryClock::start(args.speed);
    let collector = Collector::default();
    let mut telemetry = Telemetry::install(&clock, collector.serve().await?, args.log)?;

    let (inventory, payments) = (Health::default(), Health::default());
    let database = Database::serve().await?;
    let backends = Backends {
        inventory: inventory::serve(telemetry.tracer("inventory")?, inventory.clone()).await?,
        payments: payments::serve(telemetry.tracer("payments")?, clock.clone(), payments.clone()).await?,
        database: database.address(),
    };

    let shutdown = AbortHandle::new();
    let policies = Policies::new(&clock, &telemetry.observers, &shutdown)?;
    let router = checkout::router(policies, backends, telemetry.page.clone())?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let caller = Caller::new(listener.local_addr()?);
    println!("POST http://{0}/checkout/7, GET http://{0}/metrics", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let service = axum::serve(listener, router).with_graceful_shutdown(async { drop(stopped.await) });
    let service = tokio::spawn(service.into_future());

    let mut story =
        Story { clock: clock.clone(), caller: caller.clone(), inventory: inventory.clone(), payments, database };
    tokio::select! {
        played = story.play() => played?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }

    let answered = shut_down_while_one_waits(&clock, caller.clone(), &inventory, &shutdown).await?;
    println!("{clock} shutdown: a checkout that waited for its retry was answered {answered}");
    let page = caller.metrics().await?;
    drop((story, caller));
    let _ = stop.send(());
    service.await??;
    telemetry.flush().await?;

    println!("\n== from the metrics page ==");
    page.lines().filter(|line| is_told(line)).for_each(|line| println!("{line}"));
    println!("\n== from the collector ==");
    traces::tell(&collector.received());
    Ok(())
}

/// Ends the service's calls while a checkout waits for its retry. The wait ends at once.
async fn shut_down_while_one_waits(
    clock: &StoryClock,
    caller: Caller,
    inventory: &Health,
    shutdown: &AbortHandle,
) -> anyhow::Result<u16> {
    inventory.set_ill(true);
    let waiting = tokio::spawn(async move { caller.check_out(300).await });
    clock.until(clock.elapsed() + Duration::from_secs(1)).await;
    shutdown.abort();
    waiting.await?
}

/// Prints counters and gauges. Leaves out the many buckets, and the successes, which the minutes
/// show.
fn is_told(line: &str) -> bool {
    let name = line.split('{').next().unwrap_or_default();
    ["_total", "_state", "_remaining"].iter().any(|end| name.ends_with(end)) && !line.contains(r#"event="success""#)
}
