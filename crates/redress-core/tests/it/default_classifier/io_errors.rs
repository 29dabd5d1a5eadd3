//! Errors of the standard library: every kind by name, the numbers without a kind, and names that
//! do not resolve.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind as Kind};
use std::net::ToSocketAddrs;

use redress_core::{Classification, ErrorClass, default_classifier};

use super::{check, everywhere, of_kind};

/// Every kind that the oldest supported compiler knows, with its class; `Unknown` is one that is
/// passed over.
const KINDS: [(Kind, ErrorClass); 38] = [
    (Kind::ConnectionRefused, ErrorClass::Transient),
    (Kind::ConnectionReset, ErrorClass::Transient),
    (Kind::ConnectionAborted, ErrorClass::Transient),
    (Kind::NotConnected, ErrorClass::Transient),
    (Kind::BrokenPipe, ErrorClass::Transient),
    (Kind::UnexpectedEof, ErrorClass::Transient),
    (Kind::TimedOut, ErrorClass::Transient),
    (Kind::Interrupted, ErrorClass::Transient),
    (Kind::WouldBlock, ErrorClass::Transient),
    (Kind::HostUnreachable, ErrorClass::Transient),
    (Kind::NetworkUnreachable, ErrorClass::Transient),
    (Kind::NetworkDown, ErrorClass::Transient),
    (Kind::AddrInUse, ErrorClass::Transient),
    (Kind::AddrNotAvailable, ErrorClass::Transient),
    (Kind::ResourceBusy, ErrorClass::Transient),
    (Kind::StaleNetworkFileHandle, ErrorClass::Transient),
    (Kind::PermissionDenied, ErrorClass::Permission),
    (Kind::ReadOnlyFilesystem, ErrorClass::Permission),
    (Kind::NotFound, ErrorClass::Permanent),
    (Kind::AlreadyExists, ErrorClass::Permanent),
    (Kind::InvalidInput, ErrorClass::Permanent),
    (Kind::InvalidData, ErrorClass::Permanent),
    (Kind::Unsupported, ErrorClass::Permanent),
    (Kind::IsADirectory, ErrorClass::Permanent),
    (Kind::NotADirectory, ErrorClass::Permanent),
    (Kind::DirectoryNotEmpty, ErrorClass::Permanent),
    (Kind::CrossesDevices, ErrorClass::Permanent),
    (Kind::TooManyLinks, ErrorClass::Permanent),
    (Kind::NotSeekable, ErrorClass::Permanent),
    (Kind::ArgumentListTooLong, ErrorClass::Permanent),
    (Kind::FileTooLarge, ErrorClass::Permanent),
    (Kind::StorageFull, ErrorClass::Permanent),
    (Kind::QuotaExceeded, ErrorClass::Permanent),
    (Kind::Deadlock, ErrorClass::Concurrency),
    (Kind::ExecutableFileBusy, ErrorClass::Concurrency),
    (Kind::Other, ErrorClass::Unknown),
    (Kind::OutOfMemory, ErrorClass::Unknown),
    (Kind::WriteZero, ErrorClass::Unknown),
];

/// The kinds that are unstable, or newer than the oldest supported compiler: found by number, or
/// passed over.
const UNNAMED: [&str; 4] = ["FilesystemLoop", "InProgress", "InvalidFilename", "Uncategorized"];

#[test]
fn io_kinds_are_read_by_one_table() {
    for (kind, class) in KINDS {
        let plain = Classification::new(class);
        let expected = if class == ErrorClass::Unknown { plain } else { plain.with_detail("io", format!("{kind:?}")) };
        for (place, error) in everywhere(|| io::Error::from(kind)) {
            check(&*error, &format!("{kind:?} {place}"), &expected);
        }
    }
}

/// Fails when the compiler gives a number of this system a kind that has no row: decide on it, here
/// and in the docs.
#[test]
fn every_kind_that_the_system_can_cause_has_a_row() {
    let is_known = |name: &str| UNNAMED.contains(&name) || KINDS.iter().any(|(kind, _)| format!("{kind:?}") == name);
    for number in 0..20_000 {
        let kind = format!("{:?}", io::Error::from_raw_os_error(number).kind());
        assert!(is_known(&kind), "{kind}, number {number}");
    }
}

#[track_caller]
fn check_number(number: i32, class: ErrorClass) {
    for (place, error) in everywhere(|| io::Error::from_raw_os_error(number)) {
        let is_name_lookup = cfg!(windows) && (11001..=11004).contains(&number);
        let expected = if is_name_lookup { of_kind("NameLookup", class) } else { Classification::new(class) };
        check(&*error, &format!("{number} {place}"), &expected);
    }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[test]
fn numbers_of_linux_without_a_stable_kind_have_a_class() {
    for number in [102, 105, 108, 112] {
        check_number(number, ErrorClass::Transient);
    }
    for number in [36, 40] {
        check_number(number, ErrorClass::Permanent);
    }
    // EMFILE, EINPROGRESS
    for number in [24, 115] {
        check_number(number, ErrorClass::Unknown);
    }
}

#[cfg(target_vendor = "apple")]
#[test]
fn numbers_of_apple_without_a_stable_kind_have_a_class() {
    for number in [52, 55, 64] {
        check_number(number, ErrorClass::Transient);
    }
    for number in [62, 63] {
        check_number(number, ErrorClass::Permanent);
    }
}

#[cfg(windows)]
#[test]
fn numbers_of_windows_without_a_stable_kind_have_a_class() {
    for number in [10052, 10055, 10058, 10064, 11001, 11002, 11003, 11004] {
        check_number(number, ErrorClass::Transient);
    }
    for number in [123, 206, 1921] {
        check_number(number, ErrorClass::Permanent);
    }
}

/// A label over 63 bytes is refused by the resolver itself, with or without a network.
#[cfg(any(target_os = "linux", target_vendor = "apple", windows))]
#[test]
fn a_name_that_does_not_resolve_is_transient() {
    let name = format!("{}.invalid", "a".repeat(64));
    let failed = || (name.as_str(), 5432).to_socket_addrs().map(drop).expect_err("no such name");
    for (place, error) in everywhere(failed) {
        check(&*error, place, &of_kind("NameLookup", ErrorClass::Transient));
    }
}

/// Prints this text in pieces, and continues after a write error.
#[derive(Debug)]
struct Saying(&'static [&'static str]);

impl fmt::Display for Saying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0 {
            let _ = f.write_str(piece);
        }
        Ok(())
    }
}

impl Error for Saying {}

/// The kind that std gives a failed lookup: without a name, but copied from an error that has it.
fn uncategorized() -> Kind {
    let kind = io::Error::from_raw_os_error(0x7fff_0000).kind();
    assert_eq!(format!("{kind:?}"), "Uncategorized");
    kind
}

#[test]
fn only_stds_own_message_is_read_and_only_its_beginning() {
    let rows: [(Kind, &[&str], ErrorClass); 7] = [
        (uncategorized(), &["failed to lookup address information: try again"], ErrorClass::Transient),
        (uncategorized(), &["failed to ", "", "lookup address", " information", ": no"], ErrorClass::Transient),
        (uncategorized(), &["failed to lookup address information"], ErrorClass::Transient),
        (uncategorized(), &["failed to lookup address"], ErrorClass::Unknown),
        (uncategorized(), &["no: ", "failed to lookup address information"], ErrorClass::Unknown),
        (uncategorized(), &[], ErrorClass::Unknown),
        (Kind::Other, &["failed to lookup address information"], ErrorClass::Unknown),
    ];
    for (kind, says, class) in rows {
        let error = io::Error::new(kind, Saying(says));
        assert_eq!(default_classifier().classify_error(&error).class(), class, "{says:?}");
    }
}
