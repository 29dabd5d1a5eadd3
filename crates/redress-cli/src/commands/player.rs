//! What `simulate` and `replay` have in common: the policy that is played, its progress, and
//! verdicts.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use redress_core::policy::PolicySpec;
use redress_sim::Page;

use super::Failed;
use crate::files;
use crate::style;

/// How long a run takes before its progress is shown.
const LONG: Duration = Duration::from_millis(500);

/// A policy and the name of its reports.
pub(super) struct Player {
    pub(super) label: String,
    pub(super) spec: PolicySpec,
}

impl Player {
    /// The policy of this name in a file, or its only one.
    pub(super) fn of(path: &Path, name: Option<&str>) -> Result<Self, Failed> {
        let file = files::read_sound(path)?;
        let policy = file.policy(name)?;
        Ok(Self { label: policy.name().to_owned(), spec: policy.spec().clone() })
    }

    /// The policy of the same name in another file.
    pub(super) fn of_other(path: &Path, player: &Self) -> Result<Self, Failed> {
        let file = files::read_sound(path)?;
        let policy = file.policy(Some(&player.label))?;
        Ok(Self { label: format!("{} in {}", policy.name(), path.display()), spec: policy.spec().clone() })
    }
}

/// A bar on the standard error for what takes long, and none where that is no terminal.
pub(super) struct Bar<'m> {
    message: &'m str,
    unit: &'static str,
    began: Instant,
    bar: Option<ProgressBar>,
}

impl<'m> Bar<'m> {
    pub(super) fn new(message: &'m str, unit: &'static str) -> Self {
        Self { message, unit, began: Instant::now(), bar: None }
    }

    pub(super) fn set(&mut self, done: u64, of: u64) {
        if self.began.elapsed() >= LONG {
            self.bar.get_or_insert_with(|| shown(self.message, self.unit, of)).set_position(done);
        }
    }
}

impl Drop for Bar<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn shown(message: &str, unit: &str, of: u64) -> ProgressBar {
    let bar = ProgressBar::new(of);
    let template = format!("{{msg}} [{{bar:40}}] {{pos}} of {{len}} {unit}, {{eta}} left");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.with_message(message.to_owned())
}

/// Writes a page into this file.
pub(super) fn save_page(page: &Page<'_>, path: &Path) -> Result<(), Failed> {
    fs::write(path, page.to_string()).map_err(|source| Failed::Write { path: path.to_owned(), source })
}

/// Writes a verdict in the colour of whether it holds.
pub(super) fn write_verdict(verdict: &impl fmt::Display, holds: bool, out: &mut dyn Write) -> io::Result<()> {
    let style = if holds { style::STRONG } else { style::ERROR };
    writeln!(out, "{style}{verdict}{style:#}")
}
