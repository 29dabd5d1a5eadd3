//! Reads policies from a file, calls through one, and reloads a changed file in place.
//!
//! A program would begin with `Loader::new().environment().read("policies.toml")`, and reload when
//! it gets a signal, or when the file changes.

use std::error::Error;
use std::io;

use redress::config::{Loader, Policies};

const FILE: &str = r#"
[budget.shop]
kind = "earned"
capacity = 10

[breaker.db]
failure_ratio = 0.5

[policy.orders]
preset = "http"
breaker = "db"
retry = { max_attempts = 4, budget = "shop" }
strategy.default = { kind = "fixed", delay = "1ms" }
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let policies = Policies::new(Loader::new().parse(FILE, "policies.toml")?)?;
    let orders = policies.get("orders")?;

    let mut answers = vec![Ok("order 7"), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    let order = orders.load().call(|| answers.pop().unwrap_or(Ok("no order")))?;
    println!("{order}, by a policy of {} attempts", orders.load().max_attempts());

    // A bad file is refused as a whole, with every problem in it.
    let bad = FILE.replace("max_attempts = 4", "max_atempts = 2").replace("\"1ms\"", "1");
    match Loader::new().parse(&bad, "policies.toml") {
        Ok(_) => println!("no problem"),
        Err(refused) => println!("\n{refused}\n"),
    }

    // A good one changes what it changes, and the breaker keeps its state.
    let changed = FILE.replace("max_attempts = 4", "max_attempts = 2").replace("0.5", "0.4");
    let changes = policies.reload(Loader::new().parse(&changed, "policies.toml")?)?;
    println!("{changes}");
    println!("now a policy of {} attempts", orders.load().max_attempts());
    Ok(())
}
