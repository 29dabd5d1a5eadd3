//! The server's layer for deadlines that travel, with gRPC's answer.

use http::Response;
use redress_tokio::TokioTimer;
use redress_tower::http::{DeadlineLayer, Late, Refusal, Stage};
use tonic::Status;

/// Returns a layer for a tonic server that ends work when its caller stops waiting: it reads
/// `grpc-timeout`, puts the deadline and the attempt's number into the request's extensions,
/// refuses calls whose time is up, at arrival and again when their work begins, drops a handler at
/// the deadline, and answers `DEADLINE_EXCEEDED`. See
/// [`DeadlineService`](redress_tower::http::DeadlineService), and [`DeadlineLayer`] for where to
/// put it.
///
/// tonic's own server drops a handler at `grpc-timeout` too, but begins work whose time is up, does
/// not tell the handler when that is, and answers `CANCELLED`. Its alarm is set a little before
/// this layer's, so a caller may receive either status at the deadline; a
/// [`GrpcLayer`](crate::GrpcLayer) reports both as `DEADLINE_EXCEEDED`.
///
/// ```
/// use std::time::Duration;
/// use redress::integration::http::AttemptNumber;
/// use redress::integration::tonic::deadline_layer;
/// use redress::policy::Deadline;
/// use tonic::transport::Server;
/// use tonic::{Request, Response, Status};
///
/// async fn get(request: Request<String>) -> Result<Response<String>, Status> {
///     let deadline: Option<&Deadline> = request.extensions().get();
///     let number: Option<&AttemptNumber> = request.extensions().get();
///     Ok(Response::new(format!("{deadline:?}, attempt {number:?}")))
/// }
///
/// let server = Server::builder().layer(deadline_layer().longest(Duration::from_secs(30)));
/// # let _ = (server, get);
/// ```
#[must_use]
pub fn deadline_layer() -> DeadlineLayer<TokioTimer, DeadlineExceeded> {
    DeadlineLayer::new(TokioTimer).respond_with(DeadlineExceeded)
}

/// Answers late calls with `DEADLINE_EXCEEDED`, as [`deadline_layer`] does. The message says
/// whether the handler ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadlineExceeded;

impl<B: Default> Refusal<B> for DeadlineExceeded {
    fn response(&self, late: &Late) -> Response<B> {
        let message = match late.stage() {
            Stage::Work => "the deadline passed before the work was done",
            _ => "the deadline passed before the work began",
        };
        Status::deadline_exceeded(message).into_http()
    }
}
