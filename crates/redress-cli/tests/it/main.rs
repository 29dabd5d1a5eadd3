//! The command as it is run: its output, its exit codes, and its findings in a corpus of files.

mod commands;
mod corpus;
mod durations;
mod formats;
mod gates;
mod generated;
mod original;
mod pages;
mod run;
