//! The middleware under test, above one that sends over the simulated network instead of reqwest.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::Extensions;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use redress_core::{CallContext, OutcomeSummary};
use redress_fixtures::{Answer, Caller, Connector, Flavour, Fuse, Fused, Order, Point, Stage};
use redress_reqwest::middleware::PolicyMiddleware;
use redress_reqwest::reqwest_classifier;
use reqwest::{Body, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next, Result};

use crate::plain;

/// Sends requests over the simulated network.
struct Simulated {
    client: Client<Connector, Body>,
    fuse: Fuse,
}

impl Simulated {
    async fn send(&self, request: Request) -> Result<Response> {
        self.fuse.burn(Point::Call);
        let request = http::Request::<Body>::try_from(request)?;
        let response = self.client.request(request).await.map_err(Error::middleware);
        self.fuse.burn(Point::Attempt);
        Ok(response?.map(|body| Body::wrap(Fused::new(body, self.fuse.clone()))).into())
    }
}

impl Middleware for Simulated {
    fn handle<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        request: Request,
        _: &'life1 mut Extensions,
        _: Next<'life2>,
    ) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.send(request))
    }
}

/// A client with both.
pub(crate) struct Stack(ClientWithMiddleware);

impl Caller for Stack {
    fn new(stage: &Stage, flavour: Flavour) -> Self {
        let mut client = Client::builder(TokioExecutor::new());
        client.http2_only(flavour == Flavour::Http2);
        let simulated = Simulated { client: client.build(stage.net.connector()), fuse: stage.fuse.clone() };
        let policy = stage.policy(reqwest_classifier());
        let (named, chosen) = (stage.clone(), policy.clone());
        let [bypass, context, provider, headers] = [(); 4].map(|()| stage.fuse.clone());
        let middleware = PolicyMiddleware::new(policy)
            .follows_redirects(false)
            .drain(64, Duration::from_millis(20))
            .operation_for(move |head| named.name(head.headers))
            .bypass_if(move |_| {
                bypass.burn(Point::Bypass);
                false
            })
            .context_for(move |_| {
                context.burn(Point::Context);
                CallContext::new()
            })
            .policy_provider(move |_| {
                provider.burn(Point::Provider);
                Some(chosen.clone())
            })
            .attempt_headers(move |_, _| headers.burn(Point::Headers));
        // Nothing is sent with it.
        let below = plain().build().unwrap();
        Self(ClientBuilder::new(below).with(middleware).with(simulated).build())
    }

    fn call(&self, order: Order) -> Pin<Box<dyn Future<Output = Answer>>> {
        let client = self.0.clone();
        Box::pin(async move {
            // In place of the body, which cannot be sent again as reqwest's, its text: the header
            // has it.
            let text = order.request.headers()["x-call"].to_str().unwrap().to_owned();
            let request = Request::try_from(order.request.map(|_| text)).unwrap();
            let mut extensions = Extensions::new();
            let result = client.execute_with_extensions(request, &mut extensions).await;
            let attempts = extensions.get::<OutcomeSummary>().map(OutcomeSummary::attempts);
            let is_good = result.as_ref().is_ok_and(|response| response.status() == 200);
            let reading = result.ok().map(|response| Box::pin(read(response)) as _);
            Answer { is_good, attempts, reading }
        })
    }
}

async fn read(mut response: Response) {
    while let Ok(Some(_)) = response.chunk().await {}
}
