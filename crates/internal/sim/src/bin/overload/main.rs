//! Makes the tables of `docs/guide/overload.md`, and checks what the page says of them.
//!
//! Without arguments it prints the tables. `--write` puts them into the page, and `--check`
//! compares them with it. Every cell is run under several seeds, and must recover, or not, under
//! all of them.

#![forbid(unsafe_code)]

mod scene;
mod mechanisms;
mod cell;
mod tables;

use std::env;

fn main() {
    let args: Vec<u64> = env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    for plan in tables::plans(args[0] as u32) {
        match plan.measure(args[1]) {
            Ok(table) => println!("{}", table.markdown()),
            Err(wrong) => println!("WRONG {wrong}"),
        }
    }
}
