//! Makes the tables of `docs/guide/overload.md`, and checks that they say what the page says.
//!
//! Without arguments it prints the tables. `--write` puts them into the page, and `--check`
//! compares them with it. The names of tables select some of them. Every cell is run under several
//! seeds, and must recover, or not, under all of them. `--million` measures the speed with a
//! million clients.

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

use crate::tables::Plan;

/// The seeds under which each cell is run.
const SEEDS: u64 = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["--million", ref names @ ..] => million::run(names),
        ["--write", ref names @ ..] => make(names, Some(Use::Write)),
        ["--check", ref names @ ..] => make(names, Some(Use::Check)),
        ref names => make(names, None),
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

/// Measures the tables of these names, or every table, at full size.
fn make(names: &[&str], with_page: Option<Use>) -> Result<(), String> {
    let plans = chosen(names)?;
    let present = if with_page.is_some() { page::read().map_err(|error| error.to_string())? } else { String::new() };
    let (mut made, mut wrong) = (present.clone(), Vec::new());
    for plan in plans {
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

fn chosen(names: &[&str]) -> Result<Vec<Plan>, String> {
    let mut plans = tables::plans(1);
    if let Some(unknown) = names.iter().find(|name| plans.iter().all(|plan| plan.name != **name)) {
        let known: Vec<&str> = plans.iter().map(|plan| plan.name).collect();
        return Err(format!("no table `{unknown}`: overload [--write | --check | --million] [{}]", known.join(" | ")));
    }
    plans.retain(|plan| names.is_empty() || names.contains(&plan.name));
    Ok(plans)
}
