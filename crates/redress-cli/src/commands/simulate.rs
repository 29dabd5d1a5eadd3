//! `redress simulate`: plays a policy against scenarios.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use redress_core::AsyncPolicy;
use redress_sim::{Clients, Page, Progress, Report, Scenario};

use super::player::{Bar, Player, save_page, write_verdict};
use super::{Failed, Verdict};
use crate::args::Simulate;

/// The reports of one scenario.
struct Played {
    report: Report,
    against: Option<Report>,
}

pub(super) fn run(arguments: &Simulate, out: &mut dyn Write) -> Result<Verdict, Failed> {
    let player = Player::of(&arguments.file, arguments.policy.as_deref())?;
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
    let mut bar = Bar::new(scenario.title(), "s");
    let watch = |progress: Progress| bar.set(progress.simulated.as_secs(), progress.horizon.as_secs());
    let clients = Clients::alike(clients, AsyncPolicy::from_spec(player.spec.clone()));
    let report = scenario.run_watched(clients, watch).map_err(|error| Failed::Unclear(error.to_string()))?;
    Ok(report.label(&player.label))
}

/// Writes the verdict on each requirement, and returns whether all hold.
fn judge(arguments: &Simulate, report: &Report, out: &mut dyn Write) -> io::Result<bool> {
    let mut hold = true;
    for requirement in &arguments.require {
        let verdict = requirement.judge(report);
        write_verdict(&verdict, verdict.holds, out)?;
        hold &= verdict.holds;
    }
    Ok(hold)
}

fn write_page(path: &Path, title: &str, played: &[Played]) -> Result<(), Failed> {
    let page = played.iter().fold(Page::new(title), |page, played| match &played.against {
        None => page.report(&played.report),
        Some(other) => page.comparison(played.report.against(other)),
    });
    save_page(&page, path)
}
