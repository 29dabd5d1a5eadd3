//! The functions of both policies that return the builder of a [`Preset`]: `http`, `grpc` and
//! others.

use crate::classify::default_classifier::DefaultClassifier;
use crate::policy::builder::{Async, Blocking, PolicyBuilder};
use crate::policy::policies::{AsyncPolicy, Policy};
use crate::policy::preset::Preset;

// `AsyncPolicy::http()` is as discoverable as `builder()` only as an inherent function.
macro_rules! preset_builders {
    ($($function:ident of $preset:ident: $for:literal;)+) => {
        impl Policy {
            preset_builders!(@each PolicyBuilder<DefaultClassifier, Blocking>, $($function of $preset: $for;)+);
        }

        impl<Tm: Default> AsyncPolicy<DefaultClassifier, Tm> {
            preset_builders!(@each PolicyBuilder<DefaultClassifier, Async<Tm>>, $($function of $preset: $for;)+);
        }
    };
    (@each $builder:ty, $($function:ident of $preset:ident: $for:literal;)+) => {
        $(
            #[doc = concat!("Returns a builder for ", $for, ", with the settings of")]
            #[doc = concat!("[`Preset::", stringify!($preset), "`].")]
            ///
            /// Setters called afterwards win. Each call makes a new budget and a new breaker, so
            /// build one policy for each dependency, once.
            pub fn $function() -> $builder {
                Self::from_spec(Preset::$preset.spec())
            }
        )+
    };
}

preset_builders! {
    http of Http: "calls of an HTTP service";
    grpc of Grpc: "calls of a gRPC service";
    database of Database: "statements and transactions of a database";
    queue of Queue: "calls within the jobs of a queue";
    llm of Llm: "calls of a model vendor's API";
    interactive of Interactive: "calls that a person waits for";
    batch of Batch: "calls of a run that has time";
}
