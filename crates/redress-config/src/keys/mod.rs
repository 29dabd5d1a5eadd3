//! The settings of files, one table for each table of a file. They drive reading, writing, the
//! schema and the list of settings.

pub(crate) mod breaker;
pub(crate) mod budget;
pub(crate) mod file;
pub(crate) mod policy;
pub(crate) mod strategy;
