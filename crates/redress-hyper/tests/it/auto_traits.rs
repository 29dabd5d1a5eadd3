//! Which types are `Send`, and which need not be.

use std::rc::Rc;

use http::{Request, Response};
use redress_hyper::{ReplayBody, RetryingClient, RetryingRequest, Transport};

use crate::support::{Pooled, TestPolicy, policy, retry};

/// A transport that stays on its thread.
#[derive(Clone)]
struct Local(Rc<()>);

impl Transport for Local {
    type RequestBody = Rc<()>;
    type ResponseBody = String;

    async fn send(self, _: Request<Rc<()>>) -> Result<Response<String>, redress_hyper::HyperError> {
        let _own = Rc::clone(&self.0);
        tokio::task::yield_now().await;
        Ok(Response::new("here".to_owned()))
    }
}

#[tokio::test]
async fn a_call_need_not_be_send() {
    let client = RetryingClient::new(Local(Rc::new(())), policy(retry()));
    let request: Request<ReplayBody<_>> = Request::new(ReplayBody::once(Rc::new(())));
    assert_eq!(client.request(request).send().await.unwrap().status(), 200);
}

#[test]
fn types_fit_in_fields_and_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<RetryingClient<Pooled, TestPolicy>>();
    fn sent<T: Send>() {}
    sent::<RetryingRequest<'static, Pooled, redress_hyper::HyperClassifier, redress_tokio::TokioTimer>>();
    sent::<Response<redress_hyper::ResponseBody>>();
}
