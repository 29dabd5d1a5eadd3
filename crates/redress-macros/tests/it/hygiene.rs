//! Expansions between names that shadow those they use, and from another crate than the facade.

#![expect(non_camel_case_types, reason = "the names of the prelude and of redress, taken by others")]

/// What the expansions must not pick up.
#[expect(dead_code, reason = "it only shadows")]
mod shadows {
    pub(super) struct Option;
    pub(super) struct Result;
    pub(super) struct Ok;
    pub(super) struct Some;
    pub(super) struct String;
    pub(super) struct redress;
    pub(super) trait Clone {}
    pub(super) trait Into {}
    pub(super) trait ToString {}
}

mod shadowed {
    #[expect(unused_imports, reason = "they only shadow")]
    use super::shadows::{Clone, Into, Ok, Option, Result, Some, String, ToString, redress};

    #[derive(::redress::Classify)]
    pub(super) enum Error {
        #[classify(RateLimit, retry_after = 0, details(code = 1))]
        Busy(::std::time::Duration, u8),
        #[classify(forward)]
        Io(::std::io::Error),
    }

    impl ::std::convert::From<::redress::CallError<Self>> for Error {
        fn from(error: ::redress::CallError<Self>) -> Self {
            error.into_error().unwrap_or_else(|| Self::Io(::std::io::ErrorKind::TimedOut.into()))
        }
    }

    #[::redress::retry(
        classifier = ::redress::classify::own_classifier(),
        strategy = ::redress::fixed(::std::time::Duration::ZERO),
        clone(retry),
    )]
    pub(super) fn double(mut retry: u8) -> ::std::result::Result<u8, Error> {
        retry *= 2;
        ::std::result::Result::Ok(retry)
    }
}

#[test]
fn shadowed_names_do_not_matter() {
    use redress::Classify as _;
    let busy = shadowed::Error::Busy(std::time::Duration::ZERO, 7).classification();
    assert_eq!(busy.detail("code"), Some("7"));
    let io = shadowed::Error::Io(std::io::ErrorKind::TimedOut.into()).classification();
    assert_eq!(io.class(), redress::ErrorClass::Transient);
    assert!(matches!(shadowed::double(4), Ok(8)));
}

mod without_the_facade {
    use redress_core::CallError;

    #[derive(Debug, redress::Classify)]
    #[classify(crate = redress_core)]
    pub(super) enum Error {
        #[classify(Permanent)]
        Gone,
    }

    #[derive(redress::Classify)]
    #[classify(crate = ::redress_core, Auth)]
    pub(super) struct Denied;

    #[redress::retry(crate = redress_core, classifier = redress_core::classify::own_classifier())]
    pub(super) fn blocking() -> Result<u8, CallError<Error>> {
        Err(Error::Gone)
    }

    #[redress::retry(crate = redress_core, runtime = ::redress_tokio)]
    pub(super) async fn asynchronous() -> Result<u8, CallError<std::io::Error>> {
        Ok(7)
    }
}

#[tokio::test]
async fn the_core_alone_is_enough() {
    use redress_core::{Classify as _, ErrorClass};
    assert_eq!(without_the_facade::Denied.classification().class(), ErrorClass::Auth);
    assert_eq!(without_the_facade::blocking().unwrap_err().last_class(), Some(ErrorClass::Permanent));
    assert_eq!(without_the_facade::asynchronous().await.unwrap(), 7);
}
