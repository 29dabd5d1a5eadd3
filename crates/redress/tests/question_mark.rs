//! `?` on the result of a call converts into common application errors, for every type of value.

use std::error::Error;
use std::io;
use std::rc::Rc;

use redress::{CallError, ConfigError, Policy};

type Boxed = Box<dyn Error + Send + Sync>;

/// An application's error.
#[derive(Debug, thiserror::Error)]
enum AppError {
    #[error("cannot read")]
    Read(#[from] CallError<io::Error>),
    #[error(transparent)]
    Config(#[from] ConfigError),
}

fn policy() -> Result<Policy, ConfigError> {
    Policy::builder().build()
}

fn first_line(text: &str) -> io::Result<&str> {
    text.lines().next().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Stores the first line, and returns the whole text.
fn shared(text: &str) -> io::Result<(Rc<str>, &str)> {
    first_line(text).map(|line| (Rc::from(line), text))
}

/// Three functions that call `$read` and propagate its error with `?`.
macro_rules! question_marks {
    ($module:ident, $value:ty, $read:path) => {
        mod $module {
            use super::*;

            pub(crate) fn boxed<'a>(text: &'a str) -> Result<$value, Boxed> {
                Ok(policy()?.call(|| $read(text))?)
            }

            pub(crate) fn anyhow<'a>(text: &'a str) -> anyhow::Result<$value> {
                Ok(policy()?.call(|| $read(text))?)
            }

            pub(crate) fn thiserror<'a>(text: &'a str) -> Result<$value, AppError> {
                Ok(policy()?.call(|| $read(text))?)
            }
        }
    };
}

question_marks!(borrowed, &'a str, first_line);
question_marks!(not_send, (Rc<str>, &'a str), shared);

const TEXT: &str = "the call failed (transient): the attempts allowed were used up";

#[test]
fn values_pass() -> Result<(), Boxed> {
    let text = String::from("one\ntwo");
    assert_eq!((borrowed::boxed(&text)?, borrowed::anyhow(&text)?, borrowed::thiserror(&text)?), ("one", "one", "one"));
    assert_eq!(&*not_send::boxed(&text)?.0, "one");
    assert_eq!(&*not_send::anyhow(&text)?.0, "one");
    assert_eq!(&*not_send::thiserror(&text)?.0, "one");
    Ok(())
}

#[test]
fn the_call_and_the_error_behind_it_stay_within_reach() {
    for boxed in [borrowed::boxed("").expect_err("no line"), not_send::boxed("").expect_err("no line")] {
        assert_eq!(boxed.to_string(), TEXT);
        assert!(boxed.is::<CallError<io::Error>>() && boxed.source().is_some_and(<dyn Error>::is::<io::Error>));
    }
    for error in [borrowed::anyhow("").expect_err("no line"), not_send::anyhow("").expect_err("no line")] {
        assert_eq!(format!("{error:#}"), format!("{TEXT}: unexpected end of file"));
        let called = error.downcast::<CallError<io::Error>>().expect("the call's error");
        assert_eq!(called.into_error().map(|error| error.kind()), Some(io::ErrorKind::UnexpectedEof));
    }
    for error in [borrowed::thiserror("").expect_err("no line"), not_send::thiserror("").expect_err("no line")] {
        let AppError::Read(called) = error else { panic!("{error}") };
        assert_eq!(called.attempts(), 1);
    }
}
