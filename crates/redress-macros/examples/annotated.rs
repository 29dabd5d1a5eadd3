//! A client whose methods are retried, with an error that says for each variant what it is.
//!
//! `cargo run -p redress-macros --example annotated`

use std::collections::VecDeque;
use std::time::Duration;

use redress::classify::{OwnClassifier, own_classifier};
use redress::{CallError, CircuitBreaker, Classify, ConfigError, Event, Policy, Retry, fixed, retry};

#[derive(Debug, thiserror::Error, Classify)]
enum ShopError {
    #[error("the shop is busy")]
    #[classify(RateLimit, retry_after = wait)]
    Busy { wait: Duration },
    #[error("the shop has no {0}")]
    #[classify(Permanent)]
    NotSold(String),
    #[error("the connection failed")]
    #[classify(forward)]
    Connection(#[from] std::io::Error),
}

struct Shop {
    policy: Policy<OwnClassifier>,
    /// What the server answers next; afterwards it serves.
    failures: VecDeque<ShopError>,
}

impl Shop {
    fn new(failures: impl Into<VecDeque<ShopError>>) -> Result<Self, ConfigError> {
        let policy = Policy::builder()
            .classifier(own_classifier())
            .retry(Retry::builder().strategy(fixed(Duration::from_millis(20))).max_attempts(3))
            .circuit_breaker(CircuitBreaker::builder())
            .observer(|event: &Event<'_>| println!("  {} after attempt {}", event.name, event.attempt))
            .build()?;
        Ok(Self { policy, failures: failures.into() })
    }

    /// Retried, and named `price` in events and errors.
    #[retry(policy = self.policy)]
    fn price(&mut self, article: &str) -> Result<u32, CallError<ShopError>> {
        if let Some(failure) = self.failures.pop_front() {
            return Err(failure);
        }
        match article {
            "lamp" => Ok(30),
            _ => Err(ShopError::NotSold(article.into())),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut shop = Shop::new([
        ShopError::Busy { wait: Duration::from_millis(50) },
        ShopError::Connection(std::io::ErrorKind::ConnectionReset.into()),
    ])?;
    println!("a lamp:");
    println!("  costs {}", shop.price("lamp")?);
    println!("a piano:");
    match shop.price("piano") {
        Err(CallError::Failed(failed)) => println!("  {failed}: {}", failed.error),
        other => println!("  {other:?}"),
    }
    Ok(())
}
