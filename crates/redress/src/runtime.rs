//! Asynchronous policies with the timer of a runtime, each behind a feature of the same name.

#[cfg(feature = "async-std")]
#[doc(inline)]
pub use redress_async_std as async_std;
#[cfg(feature = "smol")]
#[doc(inline)]
pub use redress_smol as smol;
#[cfg(feature = "tokio")]
#[doc(inline)]
pub use redress_tokio as tokio;
