//! Error classes, and the classifiers that assign a class to each failed attempt.
//!
//! [`ErrorClass`] is the closed set. A [`Classifier`] reads an attempt's `Result`; a policy uses
//! the [`DefaultClassifier`] unless it sets another one. An error that implements [`Classify`]
//! knows its classification.

pub(crate) mod class;
pub(crate) mod status;
pub(crate) mod classification;
pub(crate) mod evidence;
pub(crate) mod classifier;
pub(crate) mod marker;
pub(crate) mod source_chain;
pub(crate) mod os_error;
pub(crate) mod io_error;
pub(crate) mod name;
pub(crate) mod default_classifier;
pub(crate) mod own_classifier;

pub use self::class::{ErrorClass, PerClass};
pub use self::classification::Classification;
pub use self::classifier::{
    ArcClassifier, Classifier, ErrorClassifier, OrElse, ResultClassifier, classifier, error_classifier,
    result_classifier,
};
pub use self::default_classifier::{
    BoxedClassifier, DefaultClassifier, boxed_classifier, default_classifier, strict_classifier,
};
pub use self::own_classifier::{Classify, OwnClassifier, own_classifier};
pub use self::source_chain::source_chain;
