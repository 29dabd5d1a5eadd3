//! The journal through its public API: what a line says, what happens to lines that do not fit, and
//! what is read back.

use std::fs;
use std::io::{self, Error, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress::classify::result_classifier;
use redress::observe::CallOutcome;
use redress::observe::journal::{CallRecord, Journal, ReadError, read};
use redress::{
    Cause, CircuitBreaker, Classification, ErrorClass, Policy, Retry, SleepDecision, StopReason, error_classifier,
    fixed,
};
use redress_testing::VirtualClock;

const SECOND: Duration = Duration::from_secs(1);

/// A writer into memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn records(&self) -> Vec<CallRecord> {
        let text = self.0.lock().expect("not poisoned").clone();
        read(&text[..]).collect::<Result<_, _>>().expect("records")
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer that waits for a permission for each line.
struct Gate {
    permissions: Receiver<()>,
    entered: Sender<()>,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.entered.send(());
        self.permissions.recv().map_err(|_| Error::from(ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn in_memory() -> (Journal, Memory) {
    let memory = Memory::default();
    (Journal::builder().to_writer(memory.clone()).expect("a thread"), memory)
}

fn ok() -> Result<(), Error> {
    Ok(())
}

#[test]
fn a_record_says_what_each_attempt_did() {
    let (journal, memory) = in_memory();
    let clock = VirtualClock::new();
    let busy = |_: &Error| {
        Classification::new(ErrorClass::RateLimit).with_retry_after(2 * SECOND).with_detail("status", "429")
    };
    let policy = Policy::builder()
        .name("orders")
        .classifier(error_classifier(busy))
        .clock(clock.clone())
        .retry(Retry::builder().strategy(fixed(SECOND)).max_attempts(2))
        .circuit_breaker(CircuitBreaker::builder().name("shop"))
        .observer(journal.clone())
        .build()
        .expect("valid");
    let _ = policy.operation("load").sleep_with(|wait| clock.advance(wait)).execute(|| {
        clock.advance(SECOND);
        Err::<(), _>(Error::from(ErrorKind::Other))
    });
    journal.flush();
    let [record] = <[_; 1]>::try_from(memory.records()).expect("one call");
    let names = (record.policy.as_deref(), record.operation.as_deref(), record.breaker.as_deref());
    assert_eq!(names, (Some("orders"), Some("load"), Some("shop")));
    assert_eq!((record.outcome, record.stop_reason), (CallOutcome::Failure, Some(StopReason::MaxAttempts)));
    assert_eq!((record.made, record.elapsed), (2, Some(4 * SECOND)));
    let [first, second] = &record.attempts[..] else { panic!("two attempts: {record:?}") };
    assert_eq!((first.start, first.took, first.wait), (Duration::ZERO, Some(SECOND), Some(2 * SECOND)));
    assert_eq!((first.class, first.cause), (Some(ErrorClass::RateLimit), Some(Cause::Error)));
    assert_eq!((first.detail.as_deref(), first.hint), (Some("429"), Some(2 * SECOND)));
    assert_eq!((second.start, second.took, second.wait), (3 * SECOND, Some(SECOND), None));
}

#[test]
fn every_ending_has_a_record() {
    let (journal, memory) = in_memory();
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("valid");
    let policy = Policy::builder()
        .classifier(result_classifier(|good: &bool| (!good).then_some(ErrorClass::ServerError)))
        .retry(Retry::builder().strategy(fixed(SECOND)))
        .circuit_breaker(&breaker)
        .observer(journal.clone())
        .build()
        .expect("valid");
    assert!(policy.execute(|| Ok::<_, Error>(true)).is_ok());
    let panics = || -> Result<bool, Error> { panic!("of the operation") };
    assert!(catch_unwind(AssertUnwindSafe(|| policy.execute(panics))).is_err());
    let _ = policy.context().sleep_handler(|_, _| SleepDecision::Abort).execute(|| Ok::<_, Error>(false));
    let _ = policy.context().sleep_handler(|_, _| SleepDecision::Defer).execute(|| Ok::<_, Error>(false));
    let _ = policy.execute(|| Ok::<_, Error>(true));
    journal.flush();
    let records = memory.records();
    let outcomes: Vec<_> = records.iter().map(|record| (record.outcome, record.made, record.attempts.len())).collect();
    assert_eq!(
        outcomes,
        [
            (CallOutcome::Success, 1, 1),
            (CallOutcome::Panicked, 1, 1),
            (CallOutcome::Aborted, 1, 1),
            (CallOutcome::Scheduled, 1, 1),
            (CallOutcome::Rejected, 0, 0)
        ]
    );
    assert_eq!(records[1].attempts[0].took, None, "no end is known");
    assert_eq!(records[3].attempts[0].wait, Some(SECOND));
    assert_eq!(records[4].elapsed, None);
}

#[test]
fn a_resumed_call_counts_all_attempts_and_has_its_own() {
    let (journal, memory) = in_memory();
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(fixed(SECOND)).max_attempts(3))
        .observer(journal.clone())
        .build()
        .expect("valid");
    let fails = || Err::<(), _>(Error::from(ErrorKind::ConnectionReset));
    let outcome = policy.context().sleep_handler(|_, _| SleepDecision::Defer).execute(fails);
    let token = outcome.resume_token().expect("deferred");
    let _ = policy.resume(token).execute(ok);
    journal.flush();
    let records = memory.records();
    assert_eq!((records[1].made, records[1].attempts.len()), (2, 1));
}

#[test]
fn long_calls_and_long_names_have_bounded_lines() {
    let (journal, memory) = in_memory();
    let clock = VirtualClock::new();
    let policy = Policy::builder()
        .clock(clock.clone())
        .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(1_000))
        .no_deadline()
        .observer(journal.clone())
        .build()
        .expect("valid");
    let name = "ä".repeat(1_000);
    let outcome = policy.operation(name.as_str()).execute(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
    journal.flush();
    let record = &memory.records()[0];
    assert_eq!((record.made, outcome.attempts(), record.attempts.len()), (1_000, 1_000, 100));
    assert_eq!(record.operation.as_deref().map(str::len), Some(256));
    let name = "€".repeat(1_000);
    policy.operation(name.as_str()).call(ok).expect("a success");
    journal.flush();
    assert_eq!(memory.records()[1].operation.as_deref().map(str::len), Some(255), "cut between characters");
    assert!(record.attempts.iter().all(|attempt| attempt.took.is_some()));
}

#[test]
fn a_full_queue_drops_lines_and_no_call_waits() {
    let ((permit, permissions), (entered, is_in)) = (channel(), channel());
    let journal = Journal::builder().queue(2).to_writer(Gate { permissions, entered }).expect("a thread");
    let policy = Policy::builder().observer(journal.clone()).build().expect("valid");
    policy.call(ok).expect("a success");
    is_in.recv().expect("the writer has the first line");
    for _ in 0..10 {
        policy.call(ok).expect("a success, while the writer waits");
    }
    assert_eq!(journal.dropped(), 8);
    for _ in 0..3 {
        permit.send(()).expect("the writer waits");
    }
    journal.flush();
    assert_eq!((journal.dropped(), journal.failed()), (8, 0));
}

#[test]
fn lines_that_cannot_be_written_are_counted() {
    let ((permit, permissions), (entered, _is_in)) = (channel::<()>(), channel());
    drop(permit);
    let journal = Journal::builder().to_writer(Gate { permissions, entered }).expect("a thread");
    let policy = Policy::builder().observer(journal.clone()).build().expect("valid");
    policy.call(ok).expect("a success");
    policy.call(ok).expect("a success");
    journal.flush();
    assert_eq!((journal.failed(), journal.dropped()), (2, 0));
    assert_eq!(format!("{journal:?}"), "Journal { dropped: 0, failed: 2, .. }");
}

#[test]
fn files_are_replaced_at_a_size_and_the_oldest_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calls.jsonl");
    let write = |calls: u32, files: u32| {
        let journal = Journal::builder().max_file_bytes(250).max_files(files).create(&path).expect("a file");
        let policy = Policy::builder().observer(journal.clone()).build().expect("valid");
        for number in 0..calls {
            policy.operation(format!("call {number}")).call(ok).expect("a success");
        }
        journal.flush();
    };
    let operations = |name: &str| -> Vec<String> {
        let file = fs::File::open(folder.path().join(name)).expect("a file");
        read(file).map(|record| record.expect("a record").operation.expect("a name")).collect()
    };
    write(8, 3);
    let names = ["calls.jsonl.2", "calls.jsonl.1", "calls.jsonl"].map(operations).concat();
    assert!(names.len() < 8 && names.ends_with(&["call 6".to_owned(), "call 7".to_owned()]), "{names:?}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 3);
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        assert!(entry.expect("a file").metadata().expect("a size").len() <= 250);
    }
    let before = operations("calls.jsonl").len();
    write(1, 3);
    let after = operations("calls.jsonl");
    assert_eq!(after.last().map(String::as_str), Some("call 0"));
    assert!(after.len() == before + 1 || after.len() == 1, "appended, or begun when full: {after:?}");
    write(8, 1);
    assert!(operations("calls.jsonl").ends_with(&["call 7".to_owned()]));
}

/// Writes the lines of `calls` calls, which are all of the same length, and returns that length.
fn write_equal_lines(journal: &Journal, calls: u32) -> usize {
    let memory = Memory::default();
    let in_memory = Journal::builder().to_writer(memory.clone()).expect("a thread");
    for (journal, calls) in [(journal, calls), (&in_memory, 1)] {
        let policy = Policy::builder().clock(VirtualClock::new()).observer(journal.clone()).build().expect("valid");
        for number in 0..calls {
            policy.operation(format!("call {number}")).call(ok).expect("a success");
        }
        journal.flush();
    }
    let text = memory.0.lock().expect("not poisoned");
    text.len()
}

/// The number of lines in each file of a folder, by name.
fn lines(folder: &std::path::Path) -> Vec<(String, usize)> {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut lines: Vec<_> = files
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, read(fs::File::open(&path).expect("a file")).count())
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn a_file_is_filled_to_its_last_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calls.jsonl");
    let length = write_equal_lines(&in_memory().0, 0) as u64;
    let journal = Journal::builder().max_file_bytes(2 * length).create(&path).expect("a file");
    write_equal_lines(&journal, 5);
    let of = |name: &str, lines| (name.to_owned(), lines);
    assert_eq!(lines(folder.path()), [of("calls.jsonl", 1), of("calls.jsonl.1", 2), of("calls.jsonl.2", 2)]);
    assert_eq!(journal.failed(), 0);
}

#[test]
fn a_file_of_the_default_size_holds_many_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    write_equal_lines(&Journal::create(folder.path().join("calls.jsonl")).expect("a file"), 10);
    assert_eq!(lines(folder.path()), [("calls.jsonl".to_owned(), 10)]);
}

#[test]
fn lines_that_have_no_file_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    // No file can take the place of a folder.
    fs::create_dir(folder.path().join("calls.jsonl.1")).expect("a folder");
    let path = folder.path().join("calls.jsonl");
    let journal = Journal::builder().max_file_bytes(1).max_files(2).create(path).expect("a file");
    write_equal_lines(&journal, 3);
    assert_eq!(journal.failed(), 2, "a line that is too long for a file has one to itself");
    assert_eq!(lines(folder.path()), [("calls.jsonl".to_owned(), 1)]);
}

#[test]
fn a_journal_that_cannot_be_opened_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = Journal::create(folder.path().join("no such folder").join("calls.jsonl")).expect_err("no folder");
    assert_eq!(refused.kind(), ErrorKind::NotFound);
}

const LINE: &str = r#"{"v":1,"at_us":1795000000000000,"outcome":"success","made":1}"#;

#[test]
fn lines_that_are_no_records_are_named_and_the_rest_is_read() {
    let text = format!("{LINE}\n\n{{\"v\":1}}\n{{\"v\":2,\"calls\":[]}}\n{LINE}\n{}", &LINE[..20]);
    let read: Vec<String> = read(text.as_bytes())
        .map(|record| record.map_or_else(|error| error.to_string(), |record| record.outcome.to_string()))
        .collect();
    assert_eq!(
        read,
        [
            "success",
            "line 3 is not a record of a call",
            "line 4 has version 2: this version of redress reads up to 1",
            "success",
            "line 6 is not a record of a call"
        ]
    );
}

#[test]
fn words_that_are_not_in_a_set_are_named() {
    let with = |field: &str| {
        let text = LINE.replace("}", &format!(",{field}}}"));
        let error = read(text.as_bytes()).next().expect("a line").expect_err("not a record");
        let ReadError::NotARecord { source, .. } = error else { panic!("{error:?}") };
        source.to_string()
    };
    assert!(with(r#""stop_reason":"BORED""#).contains("`BORED` is not a stop reason"));
    assert!(with(r#""attempts":[{"start_us":0,"class":"BAD"}]"#).contains("`BAD` is not an error class"));
    assert!(with(r#""attempts":[{"start_us":0,"cause":"bad"}]"#).contains("`bad` is not a cause"));
    assert!(with(r#""attempts":[{"start_us":-1}]"#).contains("invalid value"));
}

#[test]
fn endless_lines_are_not_read_into_memory() {
    let endless = io::repeat(b'[');
    let mut records = read(endless);
    assert!(matches!(records.next(), Some(Err(ReadError::TooLong { line: 1 }))));
    assert!(records.next().is_none());
}

#[test]
fn a_line_of_a_mebibyte_is_read_and_a_longer_one_is_not() {
    let longest = 1 << 20;
    for (length, is_read) in [(longest, true), (longest + 1, false)] {
        let text = format!("{LINE}{}\n", " ".repeat(length - LINE.len() - 1));
        assert_eq!(read(text.as_bytes()).next().expect("a line").is_ok(), is_read, "{length}");
    }
}

#[test]
fn the_line_in_the_readme_is_a_record() {
    let readme = include_str!("../../README.md");
    let (_, line) = readme.split_once("```json\n").expect("a line");
    let (line, _) = line.split_once("```").expect("its end");
    let line = line.replace('\n', "");
    let record = read(line.as_bytes()).next().expect("a line").expect("a record");
    assert_eq!((record.made, record.attempts.len()), (2, 2));
    let started = record.started_at().duration_since(std::time::SystemTime::UNIX_EPOCH).expect("after 1970");
    assert_eq!(started, Duration::from_secs(1_795_000_000));
}
