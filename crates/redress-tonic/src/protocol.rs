//! What a layer was told about calls, in the words of redress-tower: how they are read, named and sent again, and by which policy.
//!
//! Owns what is written into the head of each attempt. Runs nothing.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use redress_core::{AsyncPolicy, Attempt, CallContext, Classification};
use redress_http::{Head, IdempotencyGuard, RetrySafety, strip_userinfo};
use redress_tower::{PolicyProvider, Protocol};
use tonic::Status;
use tonic::body::Body;

use crate::grpc_timeout;
use crate::operation::default_operation;
use crate::replay::{RequestBody, copy};
use crate::response_body::ResponseBody;

/// Tells the server how many attempts it has had, as [gRFC
/// A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#exposed-retry-metadata) has it.
const PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

pub(crate) type OfHead<A> = Arc<dyn Fn(&Head<'_>) -> A + Send + Sync>;
pub(crate) type OnHeaders = Arc<dyn Fn(&mut HeaderMap, Attempt) + Send + Sync>;

/// What a layer was told about calls, but for their policies.
#[derive(Clone)]
pub(crate) struct Handling {
    pub(crate) operation: Option<OfHead<Cow<'static, str>>>,
    pub(crate) context: Option<OfHead<CallContext<'static, ()>>>,
    pub(crate) bypass_if: Option<OfHead<bool>>,
    pub(crate) not_idempotent: Option<OfHead<bool>>,
    pub(crate) return_on_headers: Option<OfHead<bool>>,
    pub(crate) headers: Option<OnHeaders>,
    pub(crate) max_replay_bytes: usize,
}

impl Handling {
    /// The body that attempts are made of, and what is known of it.
    ///
    /// # Errors
    ///
    /// What the body ended with before anything was sent.
    pub(crate) fn read(&self, request: Request<Body>) -> Result<Request<RequestBody>, Status> {
        let told =
            |of_head: &Option<OfHead<bool>>| of_head.as_ref().is_some_and(|ask| ask(&Head::from_request(&request)));
        let (bypasses, at_head) = (told(&self.bypass_if), told(&self.return_on_headers));
        if bypasses {
            return Ok(request.map(RequestBody::untouched));
        }
        let (mut head, body) = request.into_parts();
        strip_userinfo(&mut head.uri);
        let body = RequestBody::read_ahead(body, self.max_replay_bytes, at_head)?;
        Ok(Request::from_parts(head, body))
    }
}

/// [`Handling`] as redress-tower wants it.
#[derive(Clone)]
pub(crate) struct GrpcProtocol(pub(crate) Arc<Handling>);

impl Protocol<Request<RequestBody>, Response<ResponseBody>> for GrpcProtocol {
    fn copy(&self, request: &Request<RequestBody>) -> Result<Request<RequestBody>, &'static str> {
        copy(request)
    }

    fn retry_forbidden(
        &self,
        request: &Request<RequestBody>,
        _: Option<&Response<ResponseBody>>,
        failure: &Classification,
    ) -> Option<&'static str> {
        let once = self.0.not_idempotent.as_ref()?;
        let safety = if once(&Head::from_request(request)) { RetrySafety::NotIdempotent } else { RetrySafety::OptIn };
        let safety = IdempotencyGuard::new().after(safety, None, failure);
        (!safety.may_retry()).then(|| safety.as_str())
    }

    fn operation(&self, request: &Request<RequestBody>) -> Option<Cow<'static, str>> {
        Some(match &self.0.operation {
            Some(name) => name(&Head::from_request(request)),
            None => default_operation(request.uri().path()).to_owned().into(),
        })
    }

    fn context(&self, request: &Request<RequestBody>) -> Option<CallContext<'static, ()>> {
        self.0.context.as_ref().map(|context| context(&Head::from_request(request)))
    }

    fn bypasses(&self, request: &Request<RequestBody>) -> bool {
        request.body().is_untouched()
    }

    fn prepare(&self, request: &mut Request<RequestBody>, attempt: Attempt) {
        let headers = request.headers_mut();
        // First, so that a `grpc-timeout` it sets is shortened like the caller's.
        if let Some(change) = &self.0.headers {
            change(headers, attempt);
        }
        if attempt.number() > 1 {
            headers.insert(PREVIOUS_ATTEMPTS, HeaderValue::from(attempt.number() - 1));
        }
        if let Some(time_left) = attempt.time_left() {
            grpc_timeout::limit(headers, time_left);
        }
    }
}

/// The policy of each call: the layer's, unless another is chosen.
pub(crate) struct Policies<C, Tm> {
    pub(crate) policy: AsyncPolicy<C, Tm>,
    pub(crate) provider: Option<OfHead<Option<AsyncPolicy<C, Tm>>>>,
}

impl<C: Clone, Tm: Clone> PolicyProvider<Request<RequestBody>> for Policies<C, Tm> {
    type Classifier = C;
    type Timer = Tm;

    fn policy(&self, request: &Request<RequestBody>) -> AsyncPolicy<C, Tm> {
        let chosen = self.provider.as_ref().and_then(|choose| choose(&Head::from_request(request)));
        chosen.unwrap_or_else(|| self.policy.clone())
    }
}

impl<C: Clone, Tm: Clone> Clone for Policies<C, Tm> {
    fn clone(&self) -> Self {
        Self { policy: self.policy.clone(), provider: self.provider.clone() }
    }
}
