//! Hostile names, which must be recorded unchanged and in one line of text per event.

use std::io::{Error, ErrorKind, Write};
use std::sync::{Arc, Mutex};

use redress_core::{Classification, ErrorClass, Policy};
use redress_tracing::TracingObserver;

use crate::capture::Capture;

const HOSTILE: [&str; 6] =
    ["two\nlines", "\r\nERROR forged", "a \"quoted\" \\ name", "\u{1b}[31mred\u{1b}[0m", "Größe 👩‍🚀", "a=b, c=d"];

fn fail(operation: &str) {
    let of = operation.to_owned();
    let classify =
        move |_: &Result<(), Error>| Some(Classification::new(ErrorClass::Permanent).with_detail("code", of.clone()));
    let policy = Policy::builder().classifier(classify).observer(TracingObserver::new()).build().unwrap();
    let _ = policy.operation(operation).call(|| Err::<(), _>(Error::from(ErrorKind::Other)));
}

#[test]
fn hostile_names_arrive_as_they_are() {
    let long = "x".repeat(10_000);
    for name in HOSTILE.into_iter().chain([long.as_str()]) {
        let (capture, _guard) = Capture::install();
        fail(name);
        assert_eq!(capture.call().field("operation"), Some(name));
        for event in capture.events() {
            assert_eq!(event.field("operation"), Some(name));
        }
    }
    let (capture, _guard) = Capture::install();
    fail("");
    assert_eq!(capture.call().field("operation"), None);
    assert!(capture.events().iter().all(|event| event.field("operation").is_none()));
}

#[test]
fn hostile_names_forge_no_line() {
    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);
    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || writer.clone());
    tracing::subscriber::with_default(subscriber.with_max_level(tracing::Level::INFO).finish(), || {
        HOSTILE.into_iter().for_each(fail);
    });
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), HOSTILE.len(), "{text}");
    assert!(!text.contains('\u{1b}') && text.lines().all(|line| line.starts_with(" INFO redress.call{")), "{text}");
}
