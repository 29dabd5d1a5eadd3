//! Makes the pictures in the README and the guide. Its tests compare the committed ones.
//!
//! Everything runs in virtual time with fixed seeds, so that every machine makes the same bytes.
//! `cargo xtask docs --pictures` runs it.

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
mod simulation;

use anyhow::Result;

use crate::picture::{Picture, write};

fn main() -> Result<()> {
    write(&pictures()?)
}

/// Every picture, each in light and in dark.
fn pictures() -> Result<Vec<Picture>> {
    let makers = [
        quickstart::pictures,
        delays::pictures,
        arrivals::pictures,
        breaker::pictures,
        budget::pictures,
        simulation::pictures,
    ];
    let made: Result<Vec<_>> = makers.iter().map(|make| make()).collect();
    Ok(made?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::pictures;
    use crate::picture::check;

    #[test]
    fn the_committed_pictures_are_current_and_come_out_the_same_every_time() {
        check(&pictures().expect("drawn")).expect("current");
        let (once, again) = (pictures().expect("drawn"), pictures().expect("drawn"));
        assert!(once == again, "a picture depends on chance or on real time");
    }
}
