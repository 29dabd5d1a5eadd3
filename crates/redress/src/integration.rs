//! Policies around what a service calls and is called through, each behind a feature of its name.

#[cfg(feature = "http")]
#[doc(inline)]
pub use redress_http as http;
#[cfg(feature = "hyper")]
#[doc(inline)]
pub use redress_hyper as hyper;
#[cfg(feature = "tonic")]
#[doc(inline)]
pub use redress_tonic as tonic;
#[cfg(feature = "tower")]
#[doc(inline)]
pub use redress_tower as tower;
