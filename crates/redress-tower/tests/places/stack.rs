//! The services between the policy and the work, in the case's order.

use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::Semaphore;
use tokio::time::Instant;
use tower::buffer::Buffer;
use tower::filter::Filter;
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::timeout::Timeout;
use tower::util::BoxCloneService;
use tower::{BoxError, Service};

use crate::floor::{Booked, Floor};
use crate::ledger::Ledger;
use crate::world::{Part, World, millis};

pub(crate) type Stack = BoxCloneService<usize, (), BoxError>;

/// The whole of it, and the places of its limit.
pub(crate) fn build(world: &Arc<World>, ledger: &Ledger) -> (Stack, Arc<Semaphore>) {
    let places = Arc::new(Semaphore::new(world.places));
    let floor = Stack::new(Floor::new(Arc::clone(world), ledger.clone(), Instant::now()));
    let below = world.below.iter().rfold(floor, |inner, part| around(*part, inner, ledger));
    let booked = Booked::new(below, ledger.clone());
    let limited = Stack::new(ConcurrencyLimit::with_semaphore(booked, Arc::clone(&places)));
    let stack = world.above.iter().rfold(limited, |inner, part| around(*part, inner, ledger));
    (Stack::new(Top(stack, ledger.clone())), places)
}

fn around(part: Part, inner: Stack, ledger: &Ledger) -> Stack {
    match part {
        Part::Timeout(time) => Stack::new(Timeout::new(inner, millis(time))),
        Part::LoadShed => Stack::new(LoadShed::new(inner)),
        Part::Buffer(length) => Stack::new(Buffer::new(inner, length)),
        Part::Filter => {
            let ledger = ledger.clone();
            let is_let_in = move |call| if ledger.failures(call) == 0 { Err("turned away") } else { Ok(call) };
            Stack::new(Filter::new(inner, is_let_in))
        }
    }
}

/// Right below the policy: records which calls run an attempt.
#[derive(Clone)]
struct Top(Stack, Ledger);

impl Service<usize> for Top {
    type Response = ();
    type Error = BoxError;
    type Future = <Stack as Service<usize>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.1.attempts();
        self.0.poll_ready(cx)
    }

    fn call(&mut self, call: usize) -> Self::Future {
        self.0.call(call)
    }
}
