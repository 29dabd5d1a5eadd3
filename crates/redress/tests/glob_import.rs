//! A glob import of the facade hides no crate that programs name. It is checked by compiling.

use redress::*;

#[tokio::test]
async fn crates_of_the_same_name_are_still_there() {
    assert_eq!(core::cmp::max(1, 2), 2);
    tokio::task::yield_now().await;
    assert_eq!(hyper::StatusCode::OK.as_u16(), 200);
    let policy: Policy = Policy::default();
    assert_eq!(policy.max_attempts(), 6);
}
