//! Unites the features of syn, and of crates that no library of the workspace names.
//!
//! Cargo enables the features that the selected packages ask for. Each selection asks for other
//! features of syn, on which nearly every macro depends, and so builds syn, the macros, and all
//! that uses them again. With futures-util it is the same. A command that selects this package too
//! reuses those of the whole workspace. Nothing in a library depends on the features of syn, except
//! in redress-macros, or on those of the others.

#![forbid(unsafe_code)]
