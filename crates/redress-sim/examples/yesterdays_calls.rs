//! Plays a log of calls under a policy that retries more, and one that retries less.
//!
//! The log is that of the first argument, as a journal writes it. Without one it is made up: ten
//! minutes of calls through a policy of two attempts, with an outage of one minute.

use std::fs::File;
use std::time::Duration;

use anyhow::Result;
use redress::policy::PolicySpec;
use redress::{Policy, Retry, fixed};
use redress_sim::Recording;

/// How many calls are made up in a second.
const RATE: u64 = 20;

fn policy(attempts: u32) -> Result<PolicySpec> {
    let retry = Retry::builder().max_attempts(attempts).strategy(fixed(Duration::from_millis(200)));
    Ok(Policy::builder().name("orders").retry(retry).build()?.spec())
}

/// The lines of calls whose attempts take 10 to 30 ms, and fail now and then.
fn made_up() -> String {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut call = |index: u64| {
        let at = index * 1_000_000 / RATE;
        let is_outage = (300_000_000..360_000_000).contains(&at);
        let mut attempt = |start: u64| {
            let (took, fails) = (rng.u64(10_000..30_000), rng.u32(..100) < if is_outage { 70 } else { 1 });
            let failure = if fails { r#","class":"SERVER_ERROR","cause":"exception""# } else { "" };
            (start + took, fails, format!(r#"{{"start_us":{start},"took_us":{took}{failure}}}"#))
        };
        let (end, fails, first) = attempt(0);
        let (made, (end, fails, attempts)) = if fails {
            let (end, fails, second) = attempt(end + 200_000);
            (2, (end, fails, format!("{first},{second}")))
        } else {
            (1, (end, fails, first))
        };
        let outcome = if fails { r#""failure","stop_reason":"MAX_ATTEMPTS_GLOBAL""# } else { r#""success""# };
        let at = 1_795_000_000_000_000 + at;
        format!(
            r#"{{"v":1,"at_us":{at},"policy":"orders","outcome":{outcome},"elapsed_us":{end},"made":{made},"attempts":[{attempts}]}}"#
        )
    };
    (0..600 * RATE).map(|index| call(index) + "\n").collect()
}

fn main() -> Result<()> {
    let mut recording = Recording::new();
    match std::env::args().nth(1) {
        Some(path) => recording.read(&path, File::open(&path)?)?,
        None => recording.read("made up", made_up().as_bytes())?,
    }
    let replay = recording.replay(Some("orders"))?;
    let more = replay.run(&policy(4)?)?.label("four attempts");
    let fewer = replay.run(&policy(1)?)?.label("one attempt");
    println!("{more}\n{}", more.against(&fewer));
    Ok(())
}
