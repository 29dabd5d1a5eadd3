//! Fields that do not exist, or of which there are several.

use redress::Classify;

#[derive(Classify)]
enum StoreError {
    #[classify(forward)]
    Nothing,
    #[classify(forward)]
    Two(std::io::Error, std::io::Error),
    #[classify(forward = inner)]
    Named { error: std::io::Error },
    #[classify(RateLimit, retry_after = 1)]
    Numbered(std::time::Duration),
    #[classify(RateLimit, details(code = code))]
    Detailed,
    #[classify(Transient)]
    OnField(#[classify(forward)] std::io::Error),
}

fn main() {}
