//! The clients under test: over hyper-util's pool, and over plain connections of HTTP/1 and HTTP/2.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use redress_core::CallContext;
use redress_fixtures::{Answer, Caller, Connector, Flavour, Fuse, Fused, Order, Point, Scripted, Stage, Upload};
use redress_hyper::{
    Connections, HyperClassifier, HyperError, ReplayBody, RequestOutcome, ResponseBody, RetryingClient, Transport,
    hyper_classifier,
};

type BoxError = Box<dyn Error + Send + Sync>;

/// A custom transport that wraps another.
#[derive(Clone)]
struct Seam<T>(T, Fuse);

impl<T: Transport<ResponseBody = Incoming>> Transport for Seam<T> {
    type RequestBody = T::RequestBody;
    type ResponseBody = Fused<Incoming>;

    async fn send(self, request: Request<T::RequestBody>) -> Result<Response<Fused<Incoming>>, HyperError> {
        self.1.burn(Point::Call);
        let response = self.0.send(request).await;
        self.1.burn(Point::Attempt);
        response.map(|response| response.map(|body| Fused::new(body, self.1)))
    }
}

/// A client over any transport, and what its body makers burn.
struct Over<T> {
    client: RetryingClient<Seam<T>, Scripted<HyperClassifier>>,
    stage: Stage,
}

impl<T: Transport<RequestBody = Upload, ResponseBody = Incoming> + 'static> Over<T> {
    fn new(transport: T, stage: &Stage) -> Self {
        let named = stage.clone();
        let (bypass, context) = (stage.fuse.clone(), stage.fuse.clone());
        let client = RetryingClient::new(Seam(transport, stage.fuse.clone()), stage.policy(hyper_classifier()))
            .drain(64, Duration::from_millis(20))
            .operation_for(move |head| named.name(head.headers))
            .bypass_if(move |_| {
                bypass.burn(Point::Bypass);
                false
            })
            .context_for(move |_| {
                context.burn(Point::Context);
                CallContext::new()
            });
        Self { client, stage: stage.clone() }
    }

    fn call(&self, order: Order) -> Pin<Box<dyn Future<Output = Answer>>> {
        let (client, fuse) = (self.client.clone(), self.stage.fuse.clone());
        Box::pin(async move {
            let request = order.request.map(|upload| {
                ReplayBody::factory(move || {
                    fuse.burn(Point::BodyMade);
                    upload.clone()
                })
            });
            answer::<Seam<T>>(client.request(request).execute().await)
        })
    }
}

fn answer<T: Transport<ResponseBody = Fused<Incoming>>>(outcome: RequestOutcome<T>) -> Answer {
    let (is_good, attempts) = (outcome.is_ok(), Some(outcome.attempts()));
    let reading = outcome.into_last_value().ok().map(|response| Box::pin(read(response)) as _);
    Answer { is_good, attempts, reading }
}

async fn read(response: Response<ResponseBody<Fused<Incoming>>>) {
    let mut body = response.into_body();
    while let Some(Ok(_)) = body.frame().await {}
}

/// Over hyper-util's client.
pub(crate) struct Pooled(Over<Client<Connector, Upload>>);

impl Caller for Pooled {
    const KEEPS_CONNECTIONS: bool = true;

    fn new(stage: &Stage, flavour: Flavour) -> Self {
        let mut client = Client::builder(TokioExecutor::new());
        client.http2_only(flavour == Flavour::Http2);
        Self(Over::new(client.build(stage.net.connector()), stage))
    }

    fn call(&self, order: Order) -> Pin<Box<dyn Future<Output = Answer>>> {
        self.0.call(order)
    }
}

type Opening<S> = Pin<Box<dyn Future<Output = Result<S, BoxError>>>>;
type Opens<S> = Box<dyn Fn() -> Opening<S>>;

async fn open1(stage: Stage) -> Result<http1::SendRequest<Upload>, BoxError> {
    let (sender, connection) = http1::handshake(connect(&stage).await?).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn open2(stage: Stage) -> Result<http2::SendRequest<Upload>, BoxError> {
    let (sender, connection) = http2::handshake(TokioExecutor::new(), connect(&stage).await?).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn connect(stage: &Stage) -> io::Result<hyper_util::rt::TokioIo<redress_fixtures::Near>> {
    stage.net.connect().await
}

macro_rules! plain {
    ($($text:literal $name:ident over $version:ident by $open:ident;)*) => {$(
        #[doc = $text]
        pub(crate) struct $name(Over<Connections<Opens<$version::SendRequest<Upload>>, $version::SendRequest<Upload>>>);

        impl Caller for $name {
            const KEEPS_CONNECTIONS: bool = true;

            fn new(stage: &Stage, _: Flavour) -> Self {
                let opening = stage.clone();
                let open: Opens<_> = Box::new(move || {
                    opening.fuse.burn(Point::Connector);
                    Box::pin($open(opening.clone()))
                });
                Self(Over::new(Connections::new(open), stage))
            }

            fn call(&self, order: Order) -> Pin<Box<dyn Future<Output = Answer>>> {
                self.0.call(order)
            }
        }
    )*};
}

plain! {
    "Over plain connections." Plain1 over http1 by open1;
    "Over a plain connection of HTTP/2." Plain2 over http2 by open2;
}
