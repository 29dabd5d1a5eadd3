//! The responses to requests whose time is up.

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderValue, Response};
use redress_http::{Answer, AnswerForm, Answers};

/// gRPC's `DEADLINE_EXCEEDED`.
const DEADLINE_EXCEEDED: HeaderValue = HeaderValue::from_static("4");

/// A request whose time is up, as a [`Refusal`] receives it.
#[derive(Clone, Debug)]
pub struct Late {
    stage: Stage,
    form: AnswerForm,
    /// The content type of a gRPC request.
    grpc: Option<HeaderValue>,
}

/// When the time of a request was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// When the request arrived.
    Arrival,
    /// While it waited for the service, or when its work would have begun. The handler did not run.
    Wait,
    /// While the handler ran. It was dropped.
    Work,
}

impl Late {
    pub(crate) fn new(stage: Stage, headers: &HeaderMap) -> Self {
        let kind = headers.get(CONTENT_TYPE).filter(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        Self { stage, form: AnswerForm::accepted(headers), grpc: kind.cloned() }
    }

    pub(crate) const fn at(&mut self, stage: Stage) -> &Self {
        self.stage = stage;
        self
    }

    /// Returns when the time was up.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// Returns the form that the request's `Accept` prefers.
    #[must_use]
    pub const fn form(&self) -> AnswerForm {
        self.form
    }

    /// Returns whether this is a gRPC request, by its content type.
    #[must_use]
    pub const fn is_grpc(&self) -> bool {
        self.grpc.is_some()
    }
}

/// Makes the responses to requests whose time is up. Implemented for [`Answers`] and for functions
/// `Fn(&Late) -> Response<B>`.
///
/// ```
/// use http::{Response, StatusCode};
/// use redress::integration::tower::http::{Late, Refusal};
///
/// /// An empty 504.
/// #[derive(Clone, Copy)]
/// struct Empty;
///
/// impl<B: Default> Refusal<B> for Empty {
///     fn response(&self, _: &Late) -> Response<B> {
///         let mut response = Response::new(B::default());
///         *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
///         response
///     }
/// }
/// ```
pub trait Refusal<B> {
    /// Returns the response. The caller may be gone, because its time is up.
    fn response(&self, late: &Late) -> Response<B>;
}

impl<B, F: Fn(&Late) -> Response<B>> Refusal<B> for F {
    fn response(&self, late: &Late) -> Response<B> {
        self(late)
    }
}

/// 504 in these answers' form, or `DEADLINE_EXCEEDED` for gRPC.
impl<B: From<String>> Refusal<B> for Answers {
    fn response(&self, late: &Late) -> Response<B> {
        if let Some(kind) = &late.grpc {
            let mut response = Response::new(String::new().into());
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, kind.clone());
            headers.insert("grpc-status", DEADLINE_EXCEEDED);
            headers.insert("grpc-message", HeaderValue::from_static("deadline exceeded"));
            return response;
        }
        self.respond(&Answer::deadline_exceeded(), self.form_or(late.form)).map(B::from)
    }
}
