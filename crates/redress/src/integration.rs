//! Policies for HTTP and gRPC clients, for tower services, for axum servers and for job queues, and
//! classifiers for databases, Redis, AWS's SDK and model vendors, each behind a feature of the same
//! name.

#[cfg(feature = "apalis")]
#[doc(inline)]
pub use redress_apalis as apalis;
#[cfg(feature = "aws")]
#[doc(inline)]
pub use redress_aws as aws;
#[cfg(feature = "axum")]
#[doc(inline)]
pub use redress_axum as axum;
#[cfg(feature = "http")]
#[doc(inline)]
pub use redress_http as http;
#[cfg(feature = "hyper")]
#[doc(inline)]
pub use redress_hyper as hyper;
#[cfg(feature = "llm")]
#[doc(inline)]
pub use redress_llm as llm;
#[cfg(any(feature = "redis", feature = "redis-2"))]
#[doc(inline)]
pub use redress_redis as redis;
#[cfg(feature = "reqwest")]
#[doc(inline)]
pub use redress_reqwest as reqwest;
#[cfg(feature = "sql")]
#[doc(inline)]
pub use redress_sql as sql;
#[cfg(feature = "tonic")]
#[doc(inline)]
pub use redress_tonic as tonic;
#[cfg(feature = "tower")]
#[doc(inline)]
pub use redress_tower as tower;
#[cfg(feature = "ureq")]
#[doc(inline)]
pub use redress_ureq as ureq;
