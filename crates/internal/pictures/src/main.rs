//! Makes the pictures in the README and the guide, or checks that the committed ones are current.
//!
//! Everything runs in virtual time with fixed seeds, so that every machine makes the same bytes.
//! `cargo xtask docs` checks, and `cargo xtask docs --pictures` writes.

#![forbid(unsafe_code)]

mod picture;
mod terminal;
mod quickstart;

mod plot;
mod theme;

mod arrivals;
mod breaker;
mod budget;
mod delays;
mod draws;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::picture::{Picture, check, write};

/// Makes the pictures in the README and the guide.
#[derive(Parser)]
struct Cli {
    /// Fails if a committed picture is out of date; writes nothing.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let pictures = pictures()?;
    if cli.check { check(&pictures) } else { write(&pictures) }
}

/// Every picture, each in light and in dark.
fn pictures() -> Result<Vec<Picture>> {
    let makers = [quickstart::pictures, delays::pictures, arrivals::pictures, breaker::pictures, budget::pictures];
    let made: Result<Vec<_>> = makers.iter().map(|make| make()).collect();
    Ok(made?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::pictures;

    #[test]
    fn the_pictures_come_out_the_same_every_time() {
        let (once, again) = (pictures().expect("drawn"), pictures().expect("drawn"));
        assert!(once == again, "a picture depends on chance or on real time");
    }
}
