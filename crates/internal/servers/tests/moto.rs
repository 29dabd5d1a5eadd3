//! Failures of SQS and DynamoDB as moto gives them, through the clients of AWS's SDK.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put, ScalarAttributeType,
    TransactWriteItem,
};
use aws_sdk_dynamodb::{config::Credentials, config::Region};
use aws_smithy_types::timeout::TimeoutConfig;
use redress::ErrorClass::{Permanent, Permission, Transient};
use redress::integration::aws::{AwsClassifier, aws_classifier, retries_by_itself, retry_config};
use redress::runtime::tokio::AsyncPolicy;
use redress::{Retry, StopReason, fixed};
use redress_servers::{Moto, Shared};

static MOTO: Shared<Moto> = Shared::new();

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "a secret", None, None, "tests")
}

fn sqs(uri: &str) -> aws_sdk_sqs::Client {
    let settings = aws_sdk_sqs::Config::builder()
        .region(Region::new("eu-north-1"))
        .endpoint_url(uri)
        .credentials_provider(credentials())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(retry_config());
    aws_sdk_sqs::Client::from_conf(settings.build())
}

fn dynamodb(uri: &str) -> aws_sdk_dynamodb::Client {
    let settings = aws_sdk_dynamodb::Config::builder()
        .region(Region::new("eu-north-1"))
        .endpoint_url(uri)
        .credentials_provider(credentials())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(retry_config());
    aws_sdk_dynamodb::Client::from_conf(settings.build())
}

fn policy() -> AsyncPolicy<AwsClassifier> {
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
    AsyncPolicy::builder().classifier(aws_classifier()).retry(retry).build().expect("a policy")
}

/// Creates a table whose items have the key `id`.
async fn table(client: &aws_sdk_dynamodb::Client, name: &str) {
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let create = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(id.build().expect("an attribute"));
    create.key_schema(key.build().expect("a key")).send().await.expect("a table");
}

/// A put of one item, if there is none.
fn put_once(
    client: &aws_sdk_dynamodb::Client,
    table: &str,
) -> aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder {
    let put = client.put_item().table_name(table).condition_expression("attribute_not_exists(id)");
    put.item("id", AttributeValue::S("lamp".to_owned()))
}

#[tokio::test]
async fn a_message_goes_through_a_policy() {
    let moto = MOTO.get(Moto::start);
    let client = sqs(&moto.uri());
    let policy = policy();
    let created = policy.call(async || client.create_queue().queue_name("orders").send().await).await.expect("a queue");
    let url = created.queue_url().expect("its URL");
    let send = async || client.send_message().queue_url(url).message_body("a lamp").send().await;
    let sent = policy.execute(send).await;
    assert!(sent.value().is_some_and(|sent| sent.message_id().is_some()));
    assert_eq!(sent.attempts(), 1);
    let received = policy.call(async || client.receive_message().queue_url(url).send().await).await.expect("an answer");
    assert_eq!(received.messages()[0].body(), Some("a lamp"));
}

#[tokio::test]
async fn a_queue_that_is_missing_stays_missing() {
    let moto = MOTO.get(Moto::start);
    let client = sqs(&moto.uri());
    let outcome = policy().execute(async || client.get_queue_url().queue_name("missing").send().await).await;
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (1, Some(StopReason::NonRetryableClass)));
    let failure = outcome.last_classification().expect("a failure");
    assert_eq!((failure.class(), failure.detail("status")), (Permanent, Some("400")));
    assert_eq!(failure.detail("aws"), Some("AWS.SimpleQueueService.NonExistentQueue"));
}

#[tokio::test]
async fn a_table_that_is_missing_stays_missing() {
    let moto = MOTO.get(Moto::start);
    let error = dynamodb(&moto.uri()).describe_table().table_name("missing").send().await.expect_err("a refusal");
    let failure = aws_classifier().classify_error(&error);
    assert_eq!((failure.class(), failure.detail("aws")), (Permanent, Some("ResourceNotFoundException")));
}

#[tokio::test]
async fn a_condition_that_does_not_hold_is_not_tried_again() {
    let moto = MOTO.get(Moto::start);
    let client = dynamodb(&moto.uri());
    table(&client, "conditional").await;
    put_once(&client, "conditional").send().await.expect("the first is put");
    let outcome = policy().execute(async || put_once(&client, "conditional").send().await).await;
    assert_eq!((outcome.attempts(), outcome.last_class()), (1, Some(Permanent)));
    let failure = outcome.last_classification().expect("a failure");
    assert_eq!(failure.detail("aws"), Some("ConditionalCheckFailedException"));
}

#[tokio::test]
async fn a_transaction_with_such_a_condition_is_not_tried_again() {
    let moto = MOTO.get(Moto::start);
    let client = dynamodb(&moto.uri());
    table(&client, "transactional").await;
    put_once(&client, "transactional").send().await.expect("the first is put");
    let put = Put::builder().table_name("transactional").item("id", AttributeValue::S("lamp".to_owned()));
    let put = put.condition_expression("attribute_not_exists(id)").build().expect("a put");
    let item = TransactWriteItem::builder().put(put).build();
    let error = client.transact_write_items().transact_items(item).send().await.expect_err("a refusal");
    let failure = aws_classifier().classify_error(&error);
    assert_eq!((failure.class(), failure.detail("aws")), (Permanent, Some("TransactionCanceledException")));
}

#[tokio::test]
async fn an_item_without_its_key_is_refused() {
    let moto = MOTO.get(Moto::start);
    let client = dynamodb(&moto.uri());
    table(&client, "validating").await;
    let put = client.put_item().table_name("validating").item("name", AttributeValue::S("lamp".to_owned()));
    let failure = aws_classifier().classify_error(&put.send().await.expect_err("a refusal"));
    assert_eq!((failure.class(), failure.detail("aws")), (Permanent, Some("ValidationException")));
}

#[tokio::test]
async fn unknown_credentials_are_refused() {
    let moto = Moto::start_with_auth();
    // moto says so in XML, in which clients of JSON protocols find no code: the status decides.
    let error = dynamodb(&moto.uri()).list_tables().send().await.expect_err("a refusal");
    let failure = aws_classifier().classify_error(&error);
    assert_eq!((failure.class(), failure.detail("aws"), failure.detail("status")), (Permission, None, Some("403")));
    let error = sqs(&moto.uri()).list_queues().send().await.expect_err("a refusal");
    assert_eq!(aws_classifier().classify_error(&error).class(), Permission);
}

#[tokio::test]
async fn a_service_that_is_down_refuses_and_comes_back() {
    let mut moto = Moto::start();
    let client = sqs(&moto.uri());
    client.list_queues().send().await.expect("an answer");
    moto.kill();
    let outcome = policy().execute(async || client.list_queues().send().await).await;
    assert_eq!((outcome.attempts(), outcome.last_class()), (3, Some(Transient)));
    let failure = outcome.last_classification().expect("a failure");
    assert_eq!((failure.is_unsent(), failure.detail("io")), (true, Some("ConnectionRefused")));
    moto.restart();
    let found = policy().call(async || client.list_queues().send().await).await;
    assert!(found.is_ok());
}

#[tokio::test]
async fn a_service_that_hangs_is_a_timeout() {
    let moto = Moto::start();
    moto.freeze();
    let client = sqs(&moto.uri());
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(50)).build();
    let patient = client.config().to_builder().timeout_config(timeouts).build();
    let error = aws_sdk_sqs::Client::from_conf(patient).list_queues().send().await.expect_err("no answer");
    let failure = aws_classifier().classify_error(&error);
    assert_eq!((failure.class(), failure.is_timeout(), failure.is_unsent()), (Transient, true, false));
}

#[tokio::test]
async fn dynamodb_does_not_retry_either() {
    let client = dynamodb("http://127.0.0.1:1");
    assert!(!retries_by_itself(client.config().retry_config()));
}
