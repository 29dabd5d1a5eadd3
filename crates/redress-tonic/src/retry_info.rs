//! Parses `google.rpc.RetryInfo`, the wait that a status' details ask for. The bytes are untrusted:
//! an invalid message is ignored.

use std::time::Duration;

use prost::Message;
use tonic_types::pb;

/// The message's type name inside an `Any`. The sender chooses the part before the slash.
const NAME: &str = "google.rpc.RetryInfo";

/// Returns the delay that a status' details ask for: that of the first `RetryInfo` with a valid
/// delay.
///
/// Missing, malformed and negative delays are `None`; long delays are not capped.
///
/// Sources: [the richer error model](https://grpc.io/docs/guides/error/#richer-error-model) and
/// [`error_details.proto`](https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto).
///
/// ```
/// use std::time::Duration;
/// use redress::integration::tonic::retry_delay;
/// use tonic::{Code, Status};
/// use tonic_types::{ErrorDetails, StatusExt};
///
/// let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(7)));
/// let busy = Status::with_error_details(Code::Unavailable, "later", details);
/// assert_eq!(retry_delay(busy.details()), Some(Duration::from_secs(7)));
/// assert_eq!(retry_delay(b"\xff\xff"), None);
/// ```
#[must_use]
pub fn retry_delay(details: &[u8]) -> Option<Duration> {
    if details.is_empty() {
        return None;
    }
    let status = pb::Status::decode(details).ok()?;
    let infos = status.details.iter().filter(|any| any.type_url.rsplit('/').next() == Some(NAME));
    infos.filter_map(|any| pb::RetryInfo::decode(any.value.as_slice()).ok()).find_map(|info| {
        let delay = info.retry_delay?;
        // Does not use the conversion of `prost-types`, which negates `i64::MIN` seconds.
        let (seconds, nanos) = (u64::try_from(delay.seconds).ok()?, u32::try_from(delay.nanos).ok()?);
        (nanos < 1_000_000_000).then(|| Duration::new(seconds, nanos))
    })
}
