//! The output of `cargo run -p redress --example quickstart`, made by the example's files with
//! another network and a clock that does not wait.

#[path = "../../../redress/examples/quickstart/chart.rs"]
mod chart;
#[path = "../../../redress/examples/quickstart/client.rs"]
mod client;
#[path = "../../../redress/examples/quickstart/naive.rs"]
mod naive;
mod net;
#[path = "../../../redress/examples/quickstart/scenes.rs"]
mod scenes;
#[path = "../../../redress/examples/quickstart/server.rs"]
mod server;
#[path = "../../../redress/examples/quickstart/story.rs"]
mod story;
#[path = "../../../redress/examples/quickstart/tour.rs"]
mod tour;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use tokio::runtime::Builder;

use self::story::Story;
use crate::picture::{Picture, in_each_theme};
use crate::terminal;

/// A seed whose storm shows every way that a call can end.
const SEED: u64 = 7;

/// The parts of the output in the picture, each from the line that starts with one text up to the
/// line that starts with the other. The whole would be too long for a README.
const PARTS: [(&str, &str); 5] = [
    ("  = running", "1  GET"),
    ("2  GET", "4  GET"),
    ("7  GET /storm", "   0."),
    ("   call  1", "Altogether"),
    ("Requests the server saw", "Your server"),
];

pub(crate) fn pictures() -> Result<Vec<Picture>> {
    let printed = printed()?;
    let shown: Result<Vec<String>> = PARTS.iter().map(|(from, to)| part(&printed, from, to)).collect();
    let shown = shown?.concat();
    in_each_theme("quickstart", |theme| terminal::draw(shown.trim_end(), theme))
}

/// Everything that the example prints, with colours.
fn printed() -> Result<String> {
    // One thread, whose generator draws every delay in the same order.
    fastrand::seed(SEED);
    let screen = Screen::default();
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(tour::all_scenes(&Story::new(screen.clone())))?;
    let bytes = screen.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    String::from_utf8(bytes).context("the quickstart prints text")
}

/// The lines from the one that starts with `from` up to, without it, the next that starts with
/// `to`.
fn part(printed: &str, from: &str, to: &str) -> Result<String> {
    let starts = |line: &&str, with: &str| plain(line).starts_with(with);
    let mut lines = printed.split_inclusive('\n').skip_while(|line| !starts(line, from)).peekable();
    lines.peek().with_context(|| format!("the quickstart prints no line that starts with `{from}`"))?;
    Ok(lines.take_while(|line| !starts(line, to)).collect())
}

/// The line without its colours.
fn plain(line: &str) -> String {
    let mut parts = line.split('\x1b');
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once('m').map_or(part, |(_, text)| text));
    std::iter::once(first).chain(rest).collect()
}

/// Keeps what is written.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl io::Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn a_part_is_found_under_its_colours() {
        let printed = "a\n\x1b[1mb\x1b[0m 1\nb 2\n\x1b[1mc\x1b[0m\nd\n";
        assert_eq!(part(printed, "b", "c").expect("there is one"), "\x1b[1mb\x1b[0m 1\nb 2\n");
        assert!(part(printed, "e", "f").is_err());
    }
}
