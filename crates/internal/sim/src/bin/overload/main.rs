//! Makes the tables of `docs/guide/overload.md`, and checks that they say what the page says.
//!
//! Without arguments it prints the tables. `--write` puts them into the page, and `--check`
//! compares them with it. Every cell is run under several seeds, and must recover, or not, under
//! all of them. `--million` measures the speed with a million clients.

#![forbid(unsafe_code)]

mod scene;
mod mechanisms;
mod cell;
mod tables;
mod page;
mod million;

#[cfg(test)]
mod tests;

use std::env;
use std::process::ExitCode;

/// The seeds under which each cell is run.
const SEEDS: u64 = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] => make(None),
        ["--write"] => make(Some(Use::Write)),
        ["--check"] => make(Some(Use::Check)),
        ["--million"] => million::run(),
        _ => Err("overload [--write | --check | --million]".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Use {
    Write,
    Check,
}

/// Measures every table at full size.
fn make(with_page: Option<Use>) -> Result<(), String> {
    let present = if with_page.is_some() { page::read().map_err(|error| error.to_string())? } else { String::new() };
    let (mut made, mut wrong) = (present.clone(), Vec::new());
    for plan in tables::plans(1) {
        match plan.measure(SEEDS) {
            Ok(table) => {
                println!("{}", table.markdown());
                if with_page.is_some() {
                    made = page::with_table(&made, &table)?;
                }
            }
            Err(cells) => wrong.push(cells),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    match with_page {
        Some(Use::Write) => page::write(&made).map_err(|error| error.to_string()),
        Some(Use::Check) if made != present => Err("the page has other tables: run with --write".to_owned()),
        _ => Ok(()),
    }
}
