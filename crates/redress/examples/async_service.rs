//! A service that stores its policy in a field. Calls run as tasks on many threads and share one
//! breaker and one budget.
//!
//! The store that it calls is simulated and fails on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redress::runtime::tokio::AsyncPolicy;
use redress::{CallError, Classification, Classifier, ConfigError, ErrorClass};
use tokio::task::JoinSet;
use tokio::time::sleep;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let orders = Orders::new(Store::default())?;

    // A clone of the service is a clone of its policy: two reference counts.
    let mut tasks = JoinSet::new();
    for id in 0..12 {
        let orders = orders.clone();
        tasks.spawn(async move { (id, orders.find(id).await) });
    }
    while let Some(task) = tasks.join_next().await {
        match task? {
            (id, Ok(order)) => println!("order {id:>2}: {} items", order.items),
            (id, Err(OrdersError::Missing)) => println!("order {id:>2}: there is no such order"),
            (id, Err(OrdersError::Store(error))) => println!("order {id:>2}: {error}"),
        }
    }

    let asked = orders.store.asked.load(Ordering::Relaxed);
    println!("\n12 calls, {asked} requests to the store");
    println!("{:?}", orders.policy);
    Ok(())
}

/// The service. The policy has a nameable type because its classifier has one.
#[derive(Clone)]
struct Orders {
    policy: AsyncPolicy<StoreClassifier>,
    store: Arc<Store>,
}

/// The service's errors: an order that does not exist, or a store that does not answer.
#[derive(Debug, thiserror::Error)]
enum OrdersError {
    #[error("there is no such order")]
    Missing,
    #[error("the store did not answer")]
    Store(#[source] CallError<StoreError>),
}

impl Orders {
    fn new(store: Store) -> Result<Self, ConfigError> {
        let policy = AsyncPolicy::database()
            .name("orders-store")
            .classifier(StoreClassifier)
            .attempt_timeout(Duration::from_millis(250))
            .deadline(Duration::from_secs(2))
            .build()?;
        Ok(Self { policy, store: Arc::new(store) })
    }

    async fn find(&self, id: u32) -> Result<Order, OrdersError> {
        self.policy.operation("find_order").call(|| self.store.read(id)).await.map_err(|failed| match failed.error() {
            Some(StoreError::NotFound) => OrdersError::Missing,
            _ => OrdersError::Store(failed),
        })
    }
}

/// Classifies the store's errors. A zero-sized type, so the policy fits in a field.
#[derive(Clone, Copy)]
struct StoreClassifier;

impl<T> Classifier<T, StoreError> for StoreClassifier {
    fn classify(&self, result: &Result<T, StoreError>) -> Option<Classification> {
        let class = match result.as_ref().err()? {
            StoreError::Locked => ErrorClass::Concurrency,
            StoreError::Overloaded => ErrorClass::ServerError,
            StoreError::NotFound => ErrorClass::Permanent,
        };
        Some(class.into())
    }
}

#[derive(Debug)]
struct Order {
    items: u32,
}

#[derive(Debug, thiserror::Error)]
enum StoreError {
    #[error("the row is locked")]
    Locked,
    #[error("too many readers")]
    Overloaded,
    #[error("no such row")]
    NotFound,
}

/// A store in which every third request fails and every seventh takes too long.
#[derive(Default)]
struct Store {
    asked: AtomicU32,
}

impl Store {
    async fn read(&self, id: u32) -> Result<Order, StoreError> {
        let nth = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        sleep(Duration::from_millis(if nth % 7 == 0 { 5000 } else { 20 })).await;
        match nth % 6 {
            _ if id == 5 => Err(StoreError::NotFound),
            0 => Err(StoreError::Locked),
            3 => Err(StoreError::Overloaded),
            _ => Ok(Order { items: id + 1 }),
        }
    }
}
