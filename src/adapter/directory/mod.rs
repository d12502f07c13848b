//! Where engineers come from.

pub mod csv;
