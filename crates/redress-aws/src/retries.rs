//! The SDK's own retries: how to turn them off, and how to see that they are on.

use aws_smithy_types::retry::RetryConfig;

/// The SDK's retries turned off, for the configuration of its client or of one operation. With
/// them on, attempts multiply: 4 of a policy around 3 of the SDK are 12 requests for one call.
///
/// ```no_run
/// use redress::integration::aws::retry_config;
///
/// # let region = aws_sdk_sqs::config::Region::new("eu-north-1");
/// let settings = aws_sdk_sqs::Config::builder().region(region).retry_config(retry_config()).build();
/// let client = aws_sdk_sqs::Client::from_conf(settings);
/// # drop(client);
/// ```
///
/// With `aws-config`, `aws_config::defaults(..).retry_config(retry_config())` turns them off for
/// every client that is made of what it loads, and for the requests that load credentials. The
/// same as [`RetryConfig::disabled`].
#[must_use]
pub fn retry_config() -> RetryConfig {
    RetryConfig::disabled()
}

/// Returns whether a client with this configuration retries by itself, for a check where a service
/// starts.
///
/// Pass `client.config().retry_config()`. `None`, a client that was told nothing, is `true`: such a
/// client retries from `BehaviorVersion::v2026_01_12` on, which is the latest.
///
/// The configuration of a client is all that this sees. An operation that was given another one
/// (`customize().config_override(..)`) may still retry, and a strategy of your own
/// (`retry_strategy` of the client's builder) may ignore the configuration.
///
/// ```
/// use aws_smithy_types::retry::RetryConfig;
/// use redress::integration::aws::{retries_by_itself, retry_config};
///
/// # let region = aws_sdk_sqs::config::Region::new("eu-north-1");
/// let settings = aws_sdk_sqs::Config::builder().region(region).retry_config(retry_config()).build();
/// let client = aws_sdk_sqs::Client::from_conf(settings);
/// assert!(!retries_by_itself(client.config().retry_config()));
///
/// assert!(retries_by_itself(Some(&RetryConfig::standard())));
/// assert!(retries_by_itself(None));
/// ```
#[must_use]
pub fn retries_by_itself(config: Option<&RetryConfig>) -> bool {
    config.is_none_or(RetryConfig::has_retry)
}
