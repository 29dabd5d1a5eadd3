//! Runs the examples of the published crates, each within a time limit, and checks its exit code
//! and a line of its output.
//!
//! Every example has a row, and every row an example. An example starts the servers it talks to.

use std::collections::BTreeSet;
use std::env::consts::EXE_SUFFIX;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::TargetKind;

use crate::command;
use crate::workspace::{self, Workspace};

/// The longest, `quickstart`, takes five seconds.
const LIMIT: Duration = Duration::from_secs(60);

struct Example {
    package: &'static str,
    name: &'static str,
    /// A part of a line that it prints when it has shown its point.
    says: &'static str,
}

const EXAMPLES: &[Example] = &[
    Example { package: "redress", name: "async_service", says: "12 calls, " },
    Example { package: "redress", name: "blocking_cli", says: "the server has nothing by unknown" },
    Example { package: "redress", name: "quickstart", says: "pages served for them" },
    Example { package: "redress", name: "worker_defers", says: "left in the queue for the next start: a piano" },
    Example { package: "redress-apalis", name: "an_hour_of_outage", says: "ended it, success: true" },
    Example { package: "redress-async-std", name: "async_std_client", says: "the server says \"hello, at last\"" },
    Example { package: "redress-aws", name: "throttled_queue", says: "InvalidMessageContents after 2 attempts" },
    Example {
        package: "redress-axum",
        name: "shop",
        says: "GET /stock/lamps for application/json: 503 Service Unavailable, retry-after 30",
    },
    Example { package: "redress-axum", name: "time_left", says: "client: the late request, 3 attempts: Some(504)" },
    Example { package: "redress-config", name: "many_policies", says: "reloaded in " },
    Example { package: "redress-config", name: "policies", says: "policy.orders.retry.max_attempts: 4 -> 2" },
    Example { package: "redress-config", name: "watch", says: "a policy of 2 attempts" },
    Example { package: "redress-datadog", name: "agent", says: "redress.retry.sleep:0.01|d|#service:shop," },
    Example {
        package: "redress-doctor",
        name: "examine",
        says: "4 attempts here, times 2 in mesh, are 8 requests for one call",
    },
    Example { package: "redress-hyper", name: "http_client", says: "the server has had 10 requests" },
    Example {
        package: "redress-journal",
        name: "after_the_outage",
        says: "call  4: failure  after 3 attempts, waited 10ms ConnectionRefused",
    },
    Example { package: "redress-macros", name: "annotated", says: "  costs 30" },
    Example { package: "redress-llm", name: "stub_vendor", says: "spent    attempts: 1, PERMANENT: quota" },
    Example { package: "redress-metrics", name: "metrics_page", says: "redress_retry_sleep_seconds_count{" },
    Example { package: "redress-opentelemetry", name: "trace", says: "redress.retry.success_after_retries 1 {call}" },
    Example { package: "redress-redis", name: "counter", says: "the server has counted to 4" },
    Example { package: "redress-prometheus", name: "scrape", says: " # {trace_id=\"0000" },
    Example { package: "redress-reqwest", name: "busy_server", says: "the server has had 10 requests" },
    Example {
        package: "redress-sentry",
        name: "outage",
        says: "grouped by redress, warehouse, TRANSIENT, circuit_opened",
    },
    Example { package: "redress-sim", name: "every_scenario", says: "never with a careless one" },
    Example { package: "redress-sim", name: "yesterdays_calls", says: "one attempt: 91.9" },
    Example { package: "redress-smol", name: "smol_client", says: "the server says \"hello, at last\"" },
    Example {
        package: "redress-sql",
        name: "transaction",
        says: "not retried: the outcome was not known; the database says it is committed",
    },
    Example {
        package: "redress-tonic",
        name: "grpc_client",
        says: "after 0 attempts: Unavailable, circuit breaker is open",
    },
    Example { package: "redress-tower", name: "client", says: "200 OK after 3 attempts" },
    Example { package: "redress-tower", name: "server", says: "the circuit is Some(Open)" },
    Example { package: "redress-ureq", name: "download", says: "200 OK, 12 bytes" },
    Example { package: "redress-tracing", name: "log_lines", says: "the circuit lets a probe through" },
];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    check_table(workspace)?;
    // The step `tests` has built them, so this only confirms it.
    command::run(&mut command::cargo(workspace, &["build", "--examples", "--workspace", "--all-features"]))?;
    for example in EXAMPLES {
        let started = Instant::now();
        judge(workspace, example).with_context(|| format!("example `{}` of {}", example.name, example.package))?;
        println!("{:>6.1} s  {} of {}", started.elapsed().as_secs_f64(), example.name, example.package);
    }
    Ok(())
}

/// Compares the rows with the examples in the manifests. Their executables share one folder, so a
/// name must be taken once.
fn check_table(workspace: &Workspace) -> Result<()> {
    let published = workspace.members().iter().filter(|package| workspace::is_published(package));
    let built: Vec<(&str, &str)> = published
        .flat_map(|package| package.targets.iter().map(move |target| (package, target)))
        .filter(|(_, target)| target.is_kind(TargetKind::Example))
        .map(|(package, target)| (package.name.as_str(), target.name.as_str()))
        .collect();
    let listed: BTreeSet<(&str, &str)> = EXAMPLES.iter().map(|row| (row.package, row.name)).collect();
    let mut names = BTreeSet::new();
    for (package, name) in &built {
        ensure!(names.insert(name), "two examples are named `{name}`, one of them in {package}: rename one");
        ensure!(
            listed.contains(&(*package, *name)),
            "example `{name}` of {package} has no row in xtask/src/examples.rs"
        );
    }
    for row in &listed {
        ensure!(built.contains(row), "the row in xtask/src/examples.rs for `{}` of {} has no example", row.1, row.0);
    }
    Ok(())
}

/// Runs it without arguments. Its output goes to a file, which cannot fill up as a pipe does.
fn judge(workspace: &Workspace, example: &Example) -> Result<()> {
    let built = workspace.target().join("debug/examples");
    let folder = workspace.target().join("examples");
    fs::create_dir_all(&folder).with_context(|| format!("could not create {}", folder.display()))?;
    let path = folder.join(format!("{}.txt", example.name));
    let output = File::create(&path).with_context(|| format!("could not write {}", path.display()))?;
    let errors = output.try_clone().context("could not share the file between output and errors")?;
    let program = built.join(format!("{}{EXE_SUFFIX}", example.name)).display().to_string();
    let mut started = command::program(workspace, &program)
        .stdout(output)
        .stderr(errors)
        .spawn()
        .with_context(|| format!("could not start {program}"))?;
    let status = wait(&mut started)?;
    let said = read(&path)?;
    let Some(status) = status else {
        bail!("was stopped after {LIMIT:?}, having printed:\n{said}");
    };
    ensure!(status.success(), "ended with {status}, having printed:\n{said}");
    ensure!(said.contains(example.says), "did not print {:?}, but:\n{said}", example.says);
    Ok(())
}

/// Waits for the end. `None` if it had to be killed.
fn wait(program: &mut Child) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = program.try_wait().context("could not wait for its end")? {
            return Ok(Some(status));
        }
        if started.elapsed() > LIMIT {
            program.kill().context("could not stop it")?;
            program.wait().context("could not wait for its end")?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
