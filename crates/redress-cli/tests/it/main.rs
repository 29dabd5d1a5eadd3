//! The command as it is run: its output, its exit codes, and its findings in a corpus of files.

mod commands;
mod corpus;
mod formats;
mod gates;
mod generated;
mod run;
