//! Reports as HTML, with charts by plotters.

mod axis;
mod chart;
mod page;

pub use page::Page;
