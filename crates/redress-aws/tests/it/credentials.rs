//! Credentials that cannot be loaded: the request is not sent.

use std::io;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use redress::ErrorClass::{self, Auth, Permanent, Transient, Unknown};
use redress::integration::aws::aws_classifier;

use crate::made::{classify, dispatch};
use crate::stub::{Stub, client, queues};

#[derive(Debug)]
struct Failing(fn() -> CredentialsError);

impl ProvideCredentials for Failing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err((self.0)()))
    }
}

fn refused() -> ConnectorError {
    ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionRefused).into())
}

type Reason = fn() -> CredentialsError;

const ROWS: &[(Reason, ErrorClass, bool)] = &[
    (|| CredentialsError::not_loaded("none"), Auth, false),
    (|| CredentialsError::not_loaded_no_source(), Auth, false),
    (|| CredentialsError::provider_timed_out(Duration::from_secs(5)), Transient, true),
    (|| CredentialsError::invalid_configuration("a profile that refers to itself"), Permanent, false),
    (|| CredentialsError::provider_error("a file that is none"), Unknown, false),
    (|| CredentialsError::provider_error(refused()), Transient, false),
];

#[test]
fn the_reason_is_found_in_the_chain() {
    for (reason, class, is_timeout) in ROWS {
        let shown = format!("{:?}", reason());
        for error in [dispatch(ConnectorError::other(reason().into(), None)), SdkError::construction_failure(reason())]
        {
            let failure = classify(&error);
            assert_eq!(
                (failure.class(), failure.is_unsent(), failure.is_timeout()),
                (*class, true, *is_timeout),
                "{shown}"
            );
        }
    }
}

#[tokio::test]
async fn the_client_of_the_sdk_sends_nothing() {
    for (reason, class, is_timeout) in ROWS {
        let stub = Stub::answers([queues()]);
        let client = client(&stub.uri(), |settings| {
            settings.credentials_provider(SharedCredentialsProvider::new(Failing(*reason)))
        });
        let error = client.list_queues().send().await.expect_err("no credentials");
        let failure = aws_classifier().classify_error(&error);
        assert_eq!((failure.class(), failure.is_unsent()), (*class, true), "{error:?}");
        assert_eq!((failure.is_timeout(), stub.count()), (*is_timeout, 0));
    }
}
