//! Unites the features of syn.
//!
//! Cargo enables the features that the selected packages ask for. Each selection asks for other
//! features of syn, on which nearly every macro depends, and so builds syn, the macros, and all
//! that uses them again. A command that selects this package too reuses those of the whole
//! workspace. Nothing in a library depends on the features of syn, except in redress-macros.

#![forbid(unsafe_code)]
