//! Checks that redress reproduces the recordings: every scenario with every driver, every row of
//! every table, and the list of intended differences.

mod differences;
mod drivers;
mod guide;
mod tables;
