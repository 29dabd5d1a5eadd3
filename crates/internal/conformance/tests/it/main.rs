//! What was recorded, reproduced: every scenario by every driver, every row of every table, and the
//! list of what differs on purpose.

mod differences;
mod drivers;
mod tables;
