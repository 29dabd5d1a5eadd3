//! One exchange over an in-memory connection: hyper sends the request and reads the scripted
//! response.

use std::error::Error;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};

use super::fake_body::{Connection, FakeBody, drive};
use super::fault::Fault;
use super::recorded::{Recorded, RecordedBody};
use super::wire::{End, Wire};
use crate::connection::Sends;
use crate::error::HyperError;

/// Sends the request to a server that fails with this fault.
pub(super) async fn fail<B>(
    fault: Fault,
    request: Request<RecordedBody<B>>,
    recorded: Recorded,
) -> Result<Response<FakeBody>, HyperError>
where
    B: Body + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if let Some(error) = fault.of_connecting() {
        return Err(HyperError::connect(error));
    }
    let (says, end) = match fault {
        Fault::ClosedBeforeRequest => return over_http1(Wire::closed(), true, request).await,
        Fault::Reset => ("", End::Error(io::ErrorKind::ConnectionReset)),
        Fault::TimedOut => ("", End::Error(io::ErrorKind::TimedOut)),
        Fault::NotHttp => ("220 ready when you are\r\n", End::Closed),
        #[cfg(feature = "http2")]
        Fault::GoAway => return over_http2(&GOAWAY, request).await,
        #[cfg(feature = "http2")]
        Fault::RefusedStream => return over_http2(&reset_stream(REFUSED_STREAM), request).await,
        #[cfg(feature = "http2")]
        Fault::StreamReset => return over_http2(&reset_stream(INTERNAL_ERROR), request).await,
        _ => ("", End::Closed),
    };
    over_http1(Wire::http1(recorded, Bytes::from_static(says.as_bytes()), end), false, request).await
}

/// Sends the request to a server that responds, with the whole body or with one that breaks off.
pub(super) async fn answer<B>(
    response: Response<Bytes>,
    is_whole: bool,
    request: Request<RecordedBody<B>>,
    recorded: Recorded,
) -> Result<Response<FakeBody>, HyperError>
where
    B: Body + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let says = on_the_wire(&response, is_whole);
    let mut answer = over_http1(Wire::http1(recorded, says, End::Closed), false, request).await?;
    answer.extensions_mut().extend(response.into_parts().0.extensions);
    Ok(answer)
}

/// Sends the request to a server that never responds.
pub(super) async fn hang<B>(
    request: Request<RecordedBody<B>>,
    recorded: Recorded,
) -> Result<Response<FakeBody>, HyperError>
where
    B: Body + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    over_http1(Wire::http1(recorded, Bytes::new(), End::Silent), false, request).await
}

/// `is_late`: sends the request after the connection has ended.
async fn over_http1<B>(
    wire: Wire,
    is_late: bool,
    request: Request<RecordedBody<B>>,
) -> Result<Response<FakeBody>, HyperError>
where
    B: Body + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (mut sender, connection) = http1::handshake(wire).await.map_err(HyperError::connect)?;
    let mut connection: Connection = Box::pin(async move {
        // The request fails with the same error.
        let _ = connection.await;
    });
    if is_late {
        connection.await;
        connection = Box::pin(pending());
    }
    let request = http1::SendRequest::on_the_wire(request);
    exchange(sender.try_send_request(request), connection).await
}

#[cfg(feature = "http2")]
async fn over_http2<B>(says: &[u8], request: Request<RecordedBody<B>>) -> Result<Response<FakeBody>, HyperError>
where
    B: Body + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    use hyper::client::conn::http2;

    use super::tasks::Tasks;

    let tasks = Tasks::default();
    let wire = Wire::http2(Bytes::copy_from_slice(says));
    let (mut sender, connection) = http2::handshake(tasks.clone(), wire).await.map_err(HyperError::connect)?;
    let connection = Box::pin(async move {
        let mut connection = pin!(connection);
        // The request fails with the same error.
        poll_fn(|cx| {
            let ended = connection.as_mut().poll(cx);
            tasks.poll_all(cx);
            ended.map(drop)
        })
        .await;
    });
    let request = http2::SendRequest::on_the_wire(request);
    exchange(sender.try_send_request(request), connection).await
}

async fn exchange<R>(
    sent: impl Future<Output = Result<Response<Incoming>, TrySendError<R>>>,
    connection: Connection,
) -> Result<Response<FakeBody>, HyperError> {
    let mut connection = Some(connection);
    let mut sent = pin!(sent);
    let answer = poll_fn(|cx| {
        drive(&mut connection, cx);
        sent.as_mut().poll(cx)
    });
    match answer.await {
        Ok(response) => Ok(response.map(|incoming| FakeBody::new(incoming, connection))),
        Err(error) => Err(error.into_error().into()),
    }
}

/// Encodes a response as HTTP/1.1. If it is not whole, its `Content-Length` is one byte too long.
fn on_the_wire(response: &Response<Bytes>, is_whole: bool) -> Bytes {
    let mut bytes = BytesMut::new();
    let status = response.status();
    bytes.extend_from_slice(format!("HTTP/1.1 {} {}\r\n", status.as_str(), reason(status)).as_bytes());
    let length = response.body().len().saturating_add(usize::from(!is_whole));
    let has_content =
        !status.is_informational() && ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    for (name, value) in response.headers() {
        // Replaced by the body's length: a wrong length would break the framing of the connection.
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            bytes.put_slice(name.as_str().as_bytes());
            bytes.put_slice(b": ");
            bytes.put_slice(value.as_bytes());
            bytes.put_slice(b"\r\n");
        }
    }
    if has_content {
        bytes.extend_from_slice(format!("content-length: {length}\r\n\r\n").as_bytes());
        bytes.put_slice(response.body());
    } else {
        bytes.put_slice(b"\r\n");
    }
    bytes.freeze()
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("-")
}

#[cfg(feature = "http2")]
const REFUSED_STREAM: u8 = 7;
#[cfg(feature = "http2")]
const INTERNAL_ERROR: u8 = 2;

/// A GOAWAY with last stream 0 and no error; a client's first stream is 1.
#[cfg(feature = "http2")]
const GOAWAY: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

#[cfg(feature = "http2")]
const fn reset_stream(code: u8) -> [u8; 13] {
    [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, code]
}
