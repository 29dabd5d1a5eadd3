//! Watches a policy file: a good change is taken over while the program runs, and a bad one is
//! refused as a whole.

use std::error::Error;
use std::fs;
use std::sync::mpsc;

use redress::config::{Loader, Policies};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("redress-example-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let path = folder.join("policies.toml");
    fs::write(&path, "[policy.orders]\nretry = { max_attempts = 4 }\n")?;

    let loader = Loader::new().environment();
    let policies = Policies::new(loader.read(&path)?)?;
    let orders = policies.get("orders")?;

    // A service would log here. The channel lets this program wait for the reload.
    let (sender, reloads) = mpsc::channel();
    let watcher = policies.watch(&loader, &path, move |reload| {
        let line = match reload {
            Ok(changes) => format!("reloaded: {changes}"),
            Err(refused) => format!("not reloaded: {}", refused.problems()[0]),
        };
        let _ = sender.send(line);
    })?;

    for attempts in ["0", "2"] {
        // Written beside the file and moved over it, so that no half of it is ever read.
        let next = folder.join("policies.toml.new");
        fs::write(&next, format!("[policy.orders]\nretry = {{ max_attempts = {attempts} }}\n"))?;
        fs::rename(&next, &path)?;
        println!("{}", reloads.recv()?);
        println!("a policy of {} attempts", orders.load().max_attempts());
    }

    drop(watcher);
    fs::remove_dir_all(&folder)?;
    Ok(())
}
