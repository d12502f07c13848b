//! What wakes those who wait for something new.

pub mod in_process;
