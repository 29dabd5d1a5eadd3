//! The protocol of requests to handlers: redress-tower's for HTTP, with the caller's deadline.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use redress_core::driver::Timer;
use redress_core::policy::Deadline;
use redress_core::{Attempt, CallContext, Cause, Classification, OutcomeSummary};
use redress_tower::Protocol;
use redress_tower::http::{EmptyBody, HttpProtocol};

/// Passes the time left on: a [`Deadline`] in a request's extensions ends its call, and each
/// attempt's request carries the deadline of the attempt.
#[derive(Clone, Debug)]
pub(crate) struct HandlerProtocol<Tm> {
    /// Shared, because a server clones its services for each request.
    pub(crate) http: Arc<HttpProtocol<EmptyBody>>,
    pub(crate) timer: Tm,
}

impl<Tm: Timer> Protocol<Request, Response> for HandlerProtocol<Tm> {
    fn replay(&self, request: &Request) -> Result<Request, &'static str> {
        Protocol::<Request, Response>::replay(&*self.http, request)
    }

    fn operation(&self, request: &Request) -> Option<Cow<'static, str>> {
        Protocol::<Request, Response>::operation(&*self.http, request)
    }

    fn context(&self, request: &Request) -> Option<CallContext<'static, ()>> {
        let own = Protocol::<Request, Response>::context(&*self.http, request);
        let Some(deadline) = request.extensions().get::<Deadline>() else { return own };
        let of_caller = CallContext::new().deadline(*deadline);
        Some(match own {
            Some(own) => own.within(of_caller.settings()),
            None => of_caller,
        })
    }

    fn bypasses(&self, request: &Request) -> bool {
        Protocol::<Request, Response>::bypasses(&*self.http, request)
    }

    fn prepare(&self, request: &mut Request, attempt: Attempt) {
        Protocol::<Request, Response>::prepare(&*self.http, request, attempt);
        let end = attempt.time_left().map(|left| Deadline::from_left(left, self.timer.now()));
        // A limit that lies beyond the clock's range limits nothing.
        if let Some(end) = end.filter(|end| end.instant().is_some()) {
            request.extensions_mut().insert(end);
        }
    }

    fn retry_forbidden(
        &self,
        request: &Request,
        response: Option<&Response>,
        failure: &Classification,
    ) -> Option<&'static str> {
        self.http.retry_forbidden(request, response, failure)
    }

    fn repeats(
        &self,
        request: &mut Request,
        attempt: u32,
        cause: Cause,
        response: Option<&Response>,
        failure: &Classification,
    ) {
        self.http.repeats(request, attempt, cause, response, failure);
    }

    fn ended(&self, response: &mut Response, summary: &OutcomeSummary) {
        Protocol::<Request, Response>::ended(&*self.http, response, summary);
    }
}
