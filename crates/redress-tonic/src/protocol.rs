//! The implementation of redress-tower's `Protocol` for gRPC calls: how they are read, named,
//! replayed, and which headers each attempt sends.

use std::borrow::Cow;
use std::sync::Arc;

use http::{Request, Response};
use redress_core::{Attempt, CallContext, Classification};
use redress_http::{AttemptNumber, DeadlineHeader, Head, RequestRules, RetrySafety, strip_userinfo, with_head_of};
use redress_tower::Protocol;
use tonic::Status;
use tonic::body::Body;

use crate::operation::default_operation;
use crate::replay::RequestBody;
use crate::response_body::ResponseBody;

/// Sends the time left to the server.
const GRPC_TIMEOUT: DeadlineHeader = DeadlineHeader::grpc();

pub(crate) type OfHead<A> = Arc<dyn Fn(&Head<'_>) -> A + Send + Sync>;

/// A layer's settings for calls, except their policies.
#[derive(Clone)]
pub(crate) struct Handling {
    pub(crate) rules: RequestRules,
    pub(crate) not_idempotent: Option<OfHead<bool>>,
    pub(crate) return_on_headers: Option<OfHead<bool>>,
    pub(crate) max_replay_bytes: usize,
}

impl Handling {
    /// Reads the request's body ahead, so that attempts can replay it.
    ///
    /// # Errors
    ///
    /// The body's error, if it fails before the request is sent.
    pub(crate) fn read(&self, request: Request<Body>) -> Result<Request<RequestBody>, Status> {
        let head = Head::from_request(&request);
        if self.rules.bypasses(&head) {
            return Ok(request.map(RequestBody::untouched));
        }
        let at_head = self.return_on_headers.as_ref().is_some_and(|early| early(&head));
        let (mut head, body) = request.into_parts();
        strip_userinfo(&mut head.uri);
        let body = RequestBody::read_ahead(body, self.max_replay_bytes, at_head)?;
        Ok(Request::from_parts(head, body))
    }
}

/// [`Handling`] as a redress-tower protocol.
#[derive(Clone)]
pub(crate) struct GrpcProtocol(pub(crate) Arc<Handling>);

impl Protocol<Request<RequestBody>, Response<ResponseBody>> for GrpcProtocol {
    fn replay(&self, request: &Request<RequestBody>) -> Result<Request<RequestBody>, &'static str> {
        Ok(with_head_of(request, request.body().replay()?))
    }

    fn retry_forbidden(
        &self,
        request: &Request<RequestBody>,
        _: Option<&Response<ResponseBody>>,
        failure: &Classification,
    ) -> Option<&'static str> {
        let once = self.0.not_idempotent.as_ref()?;
        let safety = if once(&Head::from_request(request)) { RetrySafety::NotIdempotent } else { RetrySafety::OptIn };
        self.0.rules.idempotency().after(safety, None, failure).retry_forbidden()
    }

    fn operation(&self, request: &Request<RequestBody>) -> Option<Cow<'static, str>> {
        let named = self.0.rules.operation_name(&Head::from_request(request));
        Some(named.unwrap_or_else(|| default_operation(request.uri().path()).to_owned().into()))
    }

    fn context(&self, request: &Request<RequestBody>) -> Option<CallContext<'static, ()>> {
        self.0.rules.call_context(&Head::from_request(request))
    }

    fn bypasses(&self, request: &Request<RequestBody>) -> bool {
        request.body().is_untouched()
    }

    fn prepare(&self, request: &mut Request<RequestBody>, attempt: Attempt) {
        let headers = request.headers_mut();
        // First, so that a `grpc-timeout` it sets is shortened like the caller's.
        self.0.rules.prepare(headers, attempt);
        AttemptNumber::from(attempt).write_grpc(headers);
        if let Some(time_left) = attempt.time_left() {
            GRPC_TIMEOUT.write(headers, time_left);
        }
    }
}
