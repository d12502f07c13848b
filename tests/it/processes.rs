//! The real binary: killed at any moment, started again, two at a time, and its commands.

mod commands;
mod killed;
mod logged;
mod pages;
mod resumed;
mod rolled;
mod sent_again;
