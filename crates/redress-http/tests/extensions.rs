//! What calls leave in the extensions of requests and responses.

use std::io;

use http::{Request, Response, StatusCode};
use redress_core::Policy;
use redress_http::{LastFailure, Repetition, outcome};

#[test]
fn a_response_tells_the_outcome_of_its_call() {
    assert!(outcome(&Response::new(())).is_none());
    let ended = Policy::default().execute(|| Ok::<_, io::Error>(Response::new(())));
    let summary = ended.summary().clone();
    let mut response = ended.into_value().expect("a success");
    response.extensions_mut().insert(summary);
    assert_eq!(outcome(&response).map(redress_core::OutcomeSummary::attempts), Some(1));
}

#[test]
fn a_request_tells_which_repetition_it_is() {
    let mut request = Request::new(());
    assert_eq!(Repetition::of(request.extensions()), None);
    let repetition = Repetition::new(2, LastFailure::Answer(StatusCode::SERVICE_UNAVAILABLE));
    request.extensions_mut().insert(repetition);
    assert_eq!(Repetition::of(request.extensions()), Some(&repetition));
}
