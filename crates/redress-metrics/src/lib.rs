//! redress events as counters, histograms and a breaker gauge, through the metrics facade.

#![forbid(unsafe_code)]
