//! `redress replay`: plays a log of calls under another policy.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use redress_sim::{Page, Recording, Replay, ReplayError, ReplayVerdict, Replayed};

use super::player::{Bar, Player, save_page, write_verdict};
use super::{Failed, Verdict};
use crate::args::{self, TextOrJson};
use crate::output::replay as json;

/// Stands for the standard input among the logs.
const STANDARD_INPUT: &str = "-";

pub(super) fn run(arguments: &args::Replay, out: &mut dyn Write) -> Result<Verdict, Failed> {
    if is_journal(&arguments.file) {
        let file = arguments.file.display();
        return Err(Failed::Unclear(format!("{file} is a log: name the policy file first, and then the logs")));
    }
    let player = Player::of(&arguments.file, arguments.policy.as_deref())?;
    let against = arguments.against.as_deref().map(|file| Player::of_other(file, &player)).transpose()?;
    let mut recording = Recording::new();
    for log in &arguments.logs {
        read(log, &mut recording)?;
    }
    let replay = choose(recording, arguments, &player)?.seed(arguments.seed);
    let replay = match arguments.runs {
        Some(runs) => replay.runs(runs),
        None => replay,
    };
    let replayed = play(&replay, &player)?;
    let against = against.as_ref().map(|other| play(&replay, other)).transpose()?;
    let verdicts: Vec<ReplayVerdict> = arguments.require.iter().map(|required| required.judge(&replayed)).collect();
    match arguments.format {
        TextOrJson::Text => write_text(&replayed, against.as_ref(), &verdicts, out)?,
        TextOrJson::Json => json::write(&replayed, against.as_ref(), &verdicts, out)?,
    }
    if let Some(path) = &arguments.html {
        write_page(path, &player.label, &replayed, against.as_ref())?;
    }
    Ok(Verdict::denied_if(verdicts.iter().any(|verdict| !verdict.holds)))
}

/// Whether a file has the name of a journal, which may end in a number.
fn is_journal(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().contains(".jsonl"))
}

fn read(log: &Path, recording: &mut Recording) -> Result<(), Failed> {
    let failed = |source| Failed::Read { path: log.to_owned(), source };
    if log == Path::new(STANDARD_INPUT) {
        return recording.read("standard input", io::stdin().lock()).map_err(failed);
    }
    let file = File::open(log).map_err(failed)?;
    recording.read(&log.display().to_string(), file).map_err(failed)
}

/// The calls that are played.
fn choose(recording: Recording, arguments: &args::Replay, player: &Player) -> Result<Replay, Failed> {
    if let Some(name) = &arguments.calls_of {
        let known: Vec<&str> = recording.policies().map(|(policy, _)| policy.unwrap_or_default()).collect();
        if !known.contains(&name.as_str()) {
            let known: Vec<String> = known.iter().map(|name| format!("{name:?}")).collect();
            let known = known.join(", ");
            return Err(Failed::Unclear(format!("the log has no calls of policy `{name}`, but of: {known}")));
        }
    }
    let name = arguments.calls_of.as_deref().unwrap_or(&player.label);
    let unread = recording.unread().first().map(|line| format!(" ({line})")).unwrap_or_default();
    recording.replay(Some(name)).map_err(|error| {
        Failed::Unclear(match error {
            ReplayError::SeveralPolicies { .. } => format!("{error}, with `--calls-of`"),
            ReplayError::Empty { .. } => format!("{error}{unread}"),
            _ => error.to_string(),
        })
    })
}

fn play(replay: &Replay, player: &Player) -> Result<Replayed, Failed> {
    let mut bar = Bar::new(&player.label, "calls");
    let replayed = replay.run_watched(&player.spec, |progress| bar.set(progress.calls, progress.of));
    Ok(replayed.map_err(|error| Failed::Unclear(error.to_string()))?.label(&player.label))
}

fn write_text(
    replayed: &Replayed,
    against: Option<&Replayed>,
    verdicts: &[ReplayVerdict],
    out: &mut dyn Write,
) -> io::Result<()> {
    match against {
        None => write!(out, "{replayed}")?,
        Some(other) => write!(out, "{}", replayed.against(other))?,
    }
    for verdict in verdicts {
        write_verdict(verdict, verdict.holds, out)?;
    }
    Ok(())
}

fn write_page(path: &Path, title: &str, replayed: &Replayed, against: Option<&Replayed>) -> Result<(), Failed> {
    let page = Page::new(title);
    let page = match against {
        None => page.replay(replayed),
        Some(other) => page.replay_comparison(replayed.against(other)),
    };
    save_page(&page, path)
}
