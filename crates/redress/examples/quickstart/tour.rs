//! Runs all scenes through the policy, and the naive loop beside it.

use anyhow::Result;
use hyper::Uri;
use redress::runtime::tokio::AsyncPolicy;
use tokio::time::Instant;

use super::client::{PageClassifier, policy};
use super::naive;
use super::net::HttpClient;
use super::scenes::{SCENES, Scene, play};
use super::server::Server;
use super::story::{Call, Load, Story};

/// Runs all scenes.
pub(crate) async fn all_scenes(story: &Story) -> Result<()> {
    let (server, twin) = (Server::start().await?, Server::start().await?);
    let naive = tokio::spawn(play_naively(twin.clone()));

    let (policy, client) = (policy()?, HttpClient::new());
    story.opening(&server.uri("/")?);
    let mut all = Vec::new();
    for (number, scene) in (1..).zip(&SCENES) {
        story.scene(number, scene);
        let calls = run(&policy, &client, story, scene.calls, server.uri(scene.path)?).await?;
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

/// Makes calls through the policy. This is where redress is used.
pub(crate) async fn run(
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
