//! Transactions under `WATCH`, by their replies.

use redress::integration::redis::watch_classifier;
use redress::{Classifier, ErrorClass, Policy, Retry};

use crate::client::{RedisError, pipe};
use crate::reply::reply;
use crate::stub;

#[test]
fn a_nil_reply_is_a_conflict() {
    let lost: Result<Option<i64>, RedisError> = Ok(None);
    let failure = watch_classifier().classify(&lost).expect("a failure");
    assert_eq!((failure.class(), failure.is_unsent()), (ErrorClass::Concurrency, true));
    assert_eq!(failure.detail("redis"), Some("WATCH"));
    assert!(watch_classifier().classify(&Ok::<_, RedisError>(Some(7))).is_none());
}

#[test]
fn errors_and_other_values_are_classified_as_well() {
    let loading: Result<Option<i64>, _> = Err(reply("LOADING wait"));
    assert_eq!(watch_classifier().classify(&loading).map(|it| it.class()), Some(ErrorClass::Transient));
    let sold_out = |result: &Result<Option<i64>, RedisError>| match result {
        Ok(Some(0)) => Some(ErrorClass::Permanent),
        _ => None,
    };
    let both = watch_classifier().or_else(sold_out);
    assert_eq!(both.classify(&Ok(Some(0))).map(|it| it.class()), Some(ErrorClass::Permanent));
    assert_eq!(both.classify(&Ok(None)).map(|it| it.class()), Some(ErrorClass::Concurrency));
}

#[test]
fn a_transaction_runs_again_until_its_key_stays_as_it_was() {
    let mut lost = 2;
    let server = stub::serve(move |command| match command {
        "MULTI" => "+OK".into(),
        "EXEC" if lost > 0 => {
            lost -= 1;
            "*-1".into()
        }
        "EXEC" => "*1\r\n:8".into(),
        _ => "+QUEUED".into(),
    });
    let mut connection = server.connect();
    let policy = Policy::builder()
        .classifier(watch_classifier())
        .retry(Retry::builder().strategy(redress::fixed(std::time::Duration::ZERO)).max_attempts(4))
        .build()
        .expect("valid");
    let outcome = policy.execute(|| pipe().atomic().incr("stock", 1).query::<Option<(i64,)>>(&mut connection));
    assert_eq!((outcome.attempts(), outcome.into_result().expect("the third is not lost")), (3, Some((8,))));
}
