//! Every driver of this crate against the recorded behaviour.
use redress_testing::conformance::{public_scenarios, run_async, run_blocking};
use redress_tokio::TokioTimer;

#[test]
fn blocking() {
    let mut bad = 0;
    let all = public_scenarios();
    for s in &all {
        let m = s.mismatches(&run_blocking(s));
        if !m.is_empty() { bad += 1; if bad < 12 { println!("{}", s.id()); for x in m.iter().take(6) { println!("   {x}"); } } }
    }
    assert_eq!(bad, 0, "of {}", all.len());
}
#[tokio::test(start_paused = true)]
async fn tokio() {
    let mut bad = 0;
    for s in &public_scenarios() {
        let m = s.mismatches(&run_async(s, TokioTimer, tokio::time::advance).await);
        if !m.is_empty() { bad += 1; if bad < 6 { println!("{}", s.id()); for x in m.iter().take(6) { println!("   {x}"); } } }
    }
    assert_eq!(bad, 0);
}
