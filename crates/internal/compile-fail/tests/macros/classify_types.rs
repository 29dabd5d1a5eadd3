//! Fields whose type cannot give what is asked of it.

use redress::Classify;

struct Foreign;

#[derive(Classify)]
enum StoreError {
    #[classify(forward)]
    Foreign(Foreign),
    #[classify(default_classifier)]
    NoError(Foreign),
    #[classify(RateLimit, retry_after = 0)]
    Seconds(u64),
    #[classify(Transient, details(what = 0))]
    Hidden(Foreign),
}

fn main() {}
