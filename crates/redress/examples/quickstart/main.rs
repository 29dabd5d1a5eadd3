//! One policy between a client and a misbehaving server, with a report of what it did.
//!
//! `cargo run --example quickstart` runs all scenes against a built-in server, in about five
//! seconds. `cargo run --example quickstart -- http://127.0.0.1:8080/health` calls your server
//! through the same policy.
//!
//! Read `client.rs` first: it is the part that a user writes.

mod chart;
mod client;
mod naive;
mod scenes;
mod server;
mod story;

use std::env;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use hyper::Uri;
use redress::runtime::tokio::AsyncPolicy;

use crate::client::{HttpClient, PageClassifier, policy};
use crate::scenes::{SCENES, Scene, play};
use crate::server::Server;
use crate::story::{Call, Load, Story};

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
    ensure!(rest.is_none(), "one URL at most: cargo run --example quickstart -- http://127.0.0.1:8080/health");
    match first {
        Some(url) => visit(http_uri(&url)?).await,
        None => tell().await,
    }
}

/// Runs all scenes.
async fn tell() -> Result<()> {
    let (server, twin) = (Server::start().await?, Server::start().await?);
    let naive = tokio::spawn(play_naively(twin.clone()));

    let (policy, client, story) = (policy()?, HttpClient::new(), Story::new());
    story.opening(&server.uri("/")?);
    let mut all = Vec::new();
    for (number, scene) in (1..).zip(&SCENES) {
        story.scene(number, scene);
        let calls = run(&policy, &client, &story, scene.calls, server.uri(scene.path)?).await?;
        story.timelines(&calls);
        all.extend(calls);
    }
    let pages_of_naive = naive.await??;

    let load = |scene: &Scene| Load { redress: server.requests(scene.path), naive: twin.requests(scene.path) };
    story.totals(&policy, &all);
    story.load(SCENES.each_ref().map(|scene| (scene, load(scene))), &all, pages_of_naive);
    Ok(())
}

/// Makes the same calls with the naive loop, without output. Returns how many got a page.
async fn play_naively(server: Server) -> Result<usize> {
    let client = HttpClient::new();
    let mut pages = 0;
    for scene in &SCENES {
        let uri = server.uri(scene.path)?;
        let came = play(scene.calls, |_| naive::fetch(client.clone(), uri.clone())).await?;
        pages += came.iter().filter(|came| **came).count();
    }
    Ok(pages)
}

/// Makes a few calls to the server at `uri`.
async fn visit(uri: Uri) -> Result<()> {
    let (policy, client, story) = (policy()?, HttpClient::new(), Story::new());
    story.opening(&uri);
    let calls = run(&policy, &client, &story, CALLS_TO_YOUR_SERVER, uri).await?;
    story.timelines(&calls);
    story.totals(&policy, &calls);
    ensure!(calls.iter().any(Call::is_answered), "none of the {} calls was answered", calls.len());
    Ok(())
}

/// Makes calls through the policy. This is where redress is used.
async fn run(
    policy: &AsyncPolicy<PageClassifier>,
    client: &HttpClient,
    story: &Story,
    calls: u32,
    uri: Uri,
) -> Result<Vec<Call>> {
    let began = Instant::now();
    let operation = redress::integration::http::default_operation(&hyper::Method::GET, &uri);
    let calls = play(calls, |number| {
        let witness = story.witness(number, began.elapsed(), calls == 1);
        let (policy, client, uri, operation) = (policy.clone(), client.clone(), uri.clone(), operation.clone());
        async move {
            let outcome = policy
                .operation(operation)
                .on_attempt_end(|attempt| witness.attempt_ended(attempt))
                .on_log(|event| witness.event(event))
                .capture_timeline()
                .execute(|| client.get(&uri))
                .await;
            witness.ended(outcome)
        }
    });
    Ok(calls.await?)
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
