//! The labels of a series.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabel as _, EncodeLabelSet, LabelSetEncoder};
use redress_metric_sink::LabelValue;

/// The labels of a series. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Labels(Arc<[(&'static str, LabelValue)]>);

impl From<&[(&'static str, LabelValue)]> for Labels {
    fn from(labels: &[(&'static str, LabelValue)]) -> Self {
        Self(labels.into())
    }
}

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(key, value)| (*key, value.as_str()).encode(encoder.encode_label()))
    }
}
