//! A boxed error under the classifier for HTTP: it needs the variant for boxes.

use std::error::Error;

use redress::Policy;
use redress::integration::http::http_retry_after_classifier;

fn load() -> Result<http::Response<()>, Box<dyn Error + Send + Sync>> {
    Ok(http::Response::new(()))
}

fn main() {
    let policy = Policy::builder().classifier(http_retry_after_classifier()).build().unwrap();
    let _ = policy.call(load);
}
