//! Reports as HTML, with charts by plotters.

mod axis;
mod chart;
mod page;
mod replay;

pub use page::Page;
