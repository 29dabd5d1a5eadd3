//! `redress simulate`: plays a policy against scenarios.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use redress_core::AsyncPolicy;
use redress_core::policy::PolicySpec;
use redress_sim::{Clients, Page, Progress, Report, Scenario};

use super::{Failed, Verdict};
use crate::args::Simulate;
use crate::files;
use crate::style;

/// How long a run takes before its progress is shown.
const LONG: Duration = Duration::from_millis(500);

/// A policy and the name of its reports.
struct Player {
    label: String,
    spec: PolicySpec,
}

/// The reports of one scenario.
struct Played {
    report: Report,
    against: Option<Report>,
}

pub(super) fn run(arguments: &Simulate, out: &mut dyn Write) -> Result<Verdict, Failed> {
    let player = Player::of(&arguments.file, arguments)?;
    let against = arguments.against.as_deref().map(|file| Player::of_other(file, &player)).transpose()?;
    let scenarios = arguments.scenarios.iter().map(|name| scenario(name, arguments));
    let scenarios: Vec<Scenario> = scenarios.collect::<Result<_, _>>()?;
    let mut played = Vec::new();
    let mut hold = true;
    for (index, scenario) in scenarios.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let report = play(scenario, &player, arguments.clients)?;
        let against = against.as_ref().map(|other| play(scenario, other, arguments.clients)).transpose()?;
        match &against {
            None => write!(out, "{report}")?,
            Some(other) => write!(out, "{}", report.against(other))?,
        }
        hold &= judge(arguments, &report, out)?;
        played.push(Played { report, against });
    }
    if let Some(path) = &arguments.html {
        write_page(path, &player.label, &played)?;
    }
    Ok(Verdict::denied_if(!hold))
}

impl Player {
    fn of(path: &Path, arguments: &Simulate) -> Result<Self, Failed> {
        let file = files::read_sound(path)?;
        let policy = file.policy(arguments.policy.as_deref())?;
        Ok(Self { label: policy.name().to_owned(), spec: policy.spec().clone() })
    }

    /// The policy of the same name in another file.
    fn of_other(path: &Path, player: &Self) -> Result<Self, Failed> {
        let file = files::read_sound(path)?;
        let policy = file.policy(Some(&player.label))?;
        Ok(Self { label: format!("{} in {}", policy.name(), path.display()), spec: policy.spec().clone() })
    }
}

/// The scenario of a file, or of this name.
fn scenario(name: &str, arguments: &Simulate) -> Result<Scenario, Failed> {
    let path = PathBuf::from(name);
    let unclear = |error: redress_sim::ScenarioError| Failed::Unclear(format!("{name}: {error}"));
    let scenario = match fs::read_to_string(&path) {
        Ok(text) => Scenario::from_toml(&text).map_err(unclear)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.extension().is_none() => {
            Scenario::named(name).map_err(|error| Failed::Unclear(error.to_string()))?
        }
        Err(source) => return Err(Failed::Read { path, source }),
    };
    let scenario = if scenario.title().is_empty() { scenario.name(name) } else { scenario };
    Ok(match arguments.seed {
        None => scenario,
        Some(seed) => scenario.seed(seed),
    })
}

fn play(scenario: &Scenario, player: &Player, clients: Option<u32>) -> Result<Report, Failed> {
    let clients = clients.unwrap_or_else(|| scenario.client_count());
    let began = Instant::now();
    let mut bar = None;
    let watch = |progress: Progress| {
        if began.elapsed() >= LONG {
            let bar = bar.get_or_insert_with(|| progress_bar(scenario, progress.horizon));
            bar.set_position(progress.simulated.as_secs());
        }
    };
    let clients = Clients::alike(clients, AsyncPolicy::from_spec(player.spec.clone()));
    let report = scenario.run_watched(clients, watch).map_err(|error| Failed::Unclear(error.to_string()))?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(report.label(&player.label))
}

/// A bar on the standard error, and none where that is no terminal.
fn progress_bar(scenario: &Scenario, horizon: Duration) -> ProgressBar {
    let bar = ProgressBar::new(horizon.as_secs());
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:40}] {pos} of {len} s, {eta} left") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.with_message(scenario.title().to_owned())
}

/// Writes the verdict on each requirement, and returns whether all hold.
fn judge(arguments: &Simulate, report: &Report, out: &mut dyn Write) -> io::Result<bool> {
    let mut hold = true;
    for requirement in &arguments.require {
        let verdict = requirement.judge(report);
        let style = if verdict.holds { style::STRONG } else { style::ERROR };
        writeln!(out, "{style}{verdict}{style:#}")?;
        hold &= verdict.holds;
    }
    Ok(hold)
}

fn write_page(path: &Path, title: &str, played: &[Played]) -> Result<(), Failed> {
    let page = played.iter().fold(Page::new(title), |page, played| match &played.against {
        None => page.report(&played.report),
        Some(other) => page.comparison(played.report.against(other)),
    });
    fs::write(path, page.to_string()).map_err(|source| Failed::Write { path: path.to_owned(), source })
}
