//! One policy between a client and a misbehaving server, with a report of what it did.
//!
//! `cargo run -p redress --example quickstart` runs all scenes against a built-in server, in about
//! five seconds. `cargo run -p redress --example quickstart -- http://127.0.0.1:8080/health` calls
//! your server through the same policy.
//!
//! Read `client.rs` first: it is the part that a user writes.

mod chart;
mod client;
mod naive;
mod net;
mod scenes;
mod server;
mod story;
mod tour;

use std::env;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use hyper::Uri;

use crate::client::policy;
use crate::net::HttpClient;
use crate::story::{Call, Story};

/// Enough to see the breaker open on a server that is down.
const CALLS_TO_YOUR_SERVER: u32 = 6;

#[tokio::main]
async fn main() -> ExitCode {
    match start().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let (first, rest) = (arguments.next(), arguments.next());
    ensure!(
        rest.is_none(),
        "one URL at most: cargo run -p redress --example quickstart -- http://127.0.0.1:8080/health"
    );
    // Colours reach terminals only.
    let story = Story::new(anstream::stdout());
    match first {
        Some(url) => visit(&story, http_uri(&url)?).await,
        None => tour::all_scenes(&story).await,
    }
}

/// Makes a few calls to the server at `uri`.
async fn visit(story: &Story, uri: Uri) -> Result<()> {
    let (policy, client) = (policy()?, HttpClient::new());
    story.opening(&uri);
    let calls = tour::run(&policy, &client, story, CALLS_TO_YOUR_SERVER, uri).await?;
    story.timelines(&calls);
    story.totals(&policy, &calls);
    ensure!(calls.iter().any(Call::is_answered), "none of the {} calls was answered", calls.len());
    Ok(())
}

fn http_uri(url: &str) -> Result<Uri> {
    let whole = "give a whole URL, such as http://127.0.0.1:8080/health";
    let uri: Uri = url.parse().with_context(|| format!("`{url}` is not a URL: {whole}"))?;
    match uri.scheme_str() {
        Some("http") => Ok(uri),
        Some(other) => bail!("`{url}` is {other}: this example's client has no TLS and speaks http:// alone"),
        None => bail!("`{url}` has no scheme: {whole}"),
    }
}
