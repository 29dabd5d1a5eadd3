//! [`Csv`]: a report as comma-separated values.

use std::fmt;

use crate::report::Report;
use crate::second::Second;

/// The seconds of a report as comma-separated values: a heading, and a line for each second. Made
/// by [`Report::csv`].
#[derive(Clone, Copy, Debug)]
pub struct Csv<'r>(pub(crate) &'r Report);

const HEADING: &str =
    "second,offered,good,failed,rejected,attempts,unheard,dropped,refused,limited,reset,open,half_open,nanoseconds";

impl fmt::Display for Csv<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADING}")?;
        for (index, second) in self.0.seconds().iter().enumerate() {
            let Second { offered, good, failed, rejected, attempts, unheard, dropped, .. } = second;
            let Second { refused, limited, reset, open, half_open, time, .. } = second;
            write!(f, "{index},{offered},{good},{failed},{rejected},{attempts},{unheard},{dropped},")?;
            writeln!(f, "{refused},{limited},{reset},{open},{half_open},{}", time.as_nanos())?;
        }
        Ok(())
    }
}
