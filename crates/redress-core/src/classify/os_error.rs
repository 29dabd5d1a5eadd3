//! The classes of the operating system's error numbers that have no stable `std::io::ErrorKind`.
//!
//! There is one table for each family of systems, and an empty one for all others. The numbers are
//! part of each system's binary interface, so they do not change:
//!
//! | family | source |
//! |---|---|
//! | Linux | [`asm-generic/errno.h`](https://github.com/torvalds/linux/blob/master/include/uapi/asm-generic/errno.h) |
//! | BSD and Apple, Linux on SPARC | [`sys/errno.h`](https://github.com/freebsd/freebsd-src/blob/main/sys/sys/errno.h) |
//! | illumos and Solaris, Linux on MIPS | [`sys/errno.h`](https://github.com/illumos/illumos-gate/blob/master/usr/src/uts/common/sys/errno.h) |
//! | Windows | [sockets](https://learn.microsoft.com/windows/win32/winsock/windows-sockets-error-codes-2), [files](https://learn.microsoft.com/windows/win32/debug/system-error-codes) |

use crate::classify::class::ErrorClass;

use ErrorClass::{Permanent, Transient};

type Table = [(i32, ErrorClass)];

const LINUX: &Table = &[
    (36, Permanent),  // ENAMETOOLONG
    (40, Permanent),  // ELOOP
    (102, Transient), // ENETRESET
    (105, Transient), // ENOBUFS
    (108, Transient), // ESHUTDOWN
    (112, Transient), // EHOSTDOWN
];

const BSD: &Table = &[
    (52, Transient), // ENETRESET
    (55, Transient), // ENOBUFS
    (58, Transient), // ESHUTDOWN
    (62, Permanent), // ELOOP
    (63, Permanent), // ENAMETOOLONG
    (64, Transient), // EHOSTDOWN
];

const SYSTEM_V: &Table = &[
    (78, Permanent),  // ENAMETOOLONG
    (90, Permanent),  // ELOOP
    (129, Transient), // ENETRESET
    (132, Transient), // ENOBUFS
    (143, Transient), // ESHUTDOWN
    (147, Transient), // EHOSTDOWN
];

const WINDOWS: &Table = &[
    (123, Permanent),   // ERROR_INVALID_NAME
    (206, Permanent),   // ERROR_FILENAME_EXCED_RANGE
    (1921, Permanent),  // ERROR_CANT_RESOLVE_FILENAME: too many links
    (10052, Transient), // WSAENETRESET
    (10055, Transient), // WSAENOBUFS
    (10058, Transient), // WSAESHUTDOWN
    (10064, Transient), // WSAEHOSTDOWN
    (11001, Transient), // WSAHOST_NOT_FOUND: the name does not resolve, like the three below
    (11002, Transient), // WSATRY_AGAIN
    (11003, Transient), // WSANO_RECOVERY
    (11004, Transient), // WSANO_DATA
];

const ON_MIPS: bool =
    cfg!(any(target_arch = "mips", target_arch = "mips32r6", target_arch = "mips64", target_arch = "mips64r6"));
const ON_SPARC: bool = cfg!(any(target_arch = "sparc", target_arch = "sparc64"));

const HERE: &Table = if cfg!(windows) {
    WINDOWS
} else if cfg!(any(target_os = "linux", target_os = "android")) {
    if ON_MIPS {
        SYSTEM_V
    } else if ON_SPARC {
        BSD
    } else {
        LINUX
    }
} else if cfg!(any(target_os = "illumos", target_os = "solaris")) {
    SYSTEM_V
} else if cfg!(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
)) {
    BSD
} else {
    &[]
};

/// The class of this error number on the target system.
pub(crate) fn class_of(number: i32) -> Option<ErrorClass> {
    HERE.iter().find(|(known, _)| *known == number).map(|(_, class)| *class)
}

/// Whether this error number stands for a name that does not resolve.
pub(crate) const fn is_name_lookup(number: i32) -> bool {
    cfg!(windows) && matches!(number, 11001..=11004)
}
