//! `cargo bench -p redress-bench -- ARGS`: the comparison is the library's; this only starts it.

fn main() {
    redress_bench::main();
}
