//! Runs the fuzz targets of `redress-fuzz`: builds them once, runs each for a time, and reports
//! each in one line.
//!
//! `build` builds the programs. `campaign` runs one target and keeps its corpus, which `archive`
//! packs into one file.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

use self::campaign::{Campaign, Ending};

mod archive;
mod build;
mod campaign;

const PACKAGE: &str = "redress-fuzz";

const LONG: Duration = Duration::from_secs(600);

/// Without targets, runs all of them.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Runs only this target; may be given more than once.
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// Seconds to run each target.
    #[arg(long, default_value_t = LONG.as_secs(), value_name = "N")]
    seconds: u64,
    /// Afterwards, replaces the committed corpus by the smallest one with the same coverage.
    #[arg(long)]
    minimise: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let known = targets(workspace)?;
    for target in &args.targets {
        if !known.contains(target) {
            bail!("there is no target `{target}`: there are {}", known.join(", "));
        }
    }
    let asked = if args.targets.is_empty() { &known } else { &args.targets };
    fuzz(workspace, asked, Duration::from_secs(args.seconds), args.minimise)
}

/// The step of `prove`.
pub(crate) fn run_long(workspace: &Workspace) -> Result<()> {
    fuzz(workspace, &targets(workspace)?, LONG, false)
}

fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let Some(package) = workspace.members().iter().find(|package| package.name == PACKAGE) else {
        bail!("the workspace has no crate `{PACKAGE}`: the fuzz targets belong in crates/internal/fuzz");
    };
    Ok(package.targets.iter().filter(|target| target.is_bin()).map(|target| target.name.clone()).collect())
}

fn fuzz(workspace: &Workspace, targets: &[String], time: Duration, minimise: bool) -> Result<()> {
    let programs = build::build(workspace)?;
    println!("{} s for each of {} target(s); logs are in {}", time.as_secs(), targets.len(), programs.root().display());
    let mut crashed = Vec::new();
    for target in targets {
        let campaign = Campaign::new(workspace, &programs, target);
        match campaign.run(time)? {
            Ending::Held(figures) => println!("  {target}: {figures}"),
            Ending::Crashed(crash) => {
                println!("  {target}: CRASHED\n{crash}");
                crashed.push(target.as_str());
            }
        }
        if minimise && crashed.is_empty() {
            println!("  {target}: {}", campaign.minimise()?);
        }
    }
    if !crashed.is_empty() {
        bail!("{} broke a law or a limit: the input and how to replay it are named above", crashed.join(", "));
    }
    Ok(())
}
