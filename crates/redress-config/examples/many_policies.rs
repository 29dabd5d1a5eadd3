//! Measures how long a file of 1,000 policies takes to be read, checked and built, and to be
//! reloaded with one change. Build it with `--release`.

use std::error::Error;
use std::time::{Duration, Instant};

use redress::config::{Policies, PolicyFile};

/// A file with a breaker, a budget and two strategies for each policy.
fn file(policies: u32) -> String {
    let policy = |number| {
        format!(
            "[breaker.b{number}]\nfailure_ratio = 0.5\nmin_calls = 20\nwindow = \"30s\"\ntrial = {{ passes = 3 }}\n\
             [policy.p{number}]\ndeadline = \"20s\"\nattempt_timeout = \"4s\"\nbreaker = \"b{number}\"\n\
             retry = {{ max_attempts = 4, budget = {{ kind = \"earned\", share = 0.1 }} }}\n\
             strategy.default = {{ kind = \"decorrelated_jitter\", max = \"5s\" }}\n\
             strategy.RateLimit = {{ kind = \"exponential\", max = \"1m\" }}\n"
        )
    };
    (0..policies).map(policy).collect()
}

/// The shortest of several runs, which the machine's other work disturbed least.
fn shortest<T>(mut run: impl FnMut() -> T) -> Duration {
    let timed = |_| {
        let began = Instant::now();
        let result = run();
        let took = began.elapsed();
        drop(result);
        took
    };
    (0..7).map(timed).min().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn Error>> {
    let text = file(1_000);
    let policies = Policies::new(PolicyFile::parse(&text, "policies.toml")?)?;
    let read = PolicyFile::parse(&text, "policies.toml")?;
    println!("1,000 policies in {} KiB", text.len() / 1024);
    println!("read and checked in {:?}", shortest(|| PolicyFile::parse(&text, "policies.toml")));
    println!("built in {:?}", shortest(|| Policies::new(read.clone())));
    let changed = PolicyFile::parse(&text.replacen("max_attempts = 4", "max_attempts = 3", 1), "policies.toml")?;
    let mut files = [&read, &changed].into_iter().cycle();
    println!("reloaded in {:?}", shortest(|| files.next().map(|file| policies.reload(file.clone()))));
    Ok(())
}
