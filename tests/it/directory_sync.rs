//! The directory sync: plan, then apply; through the API, the workers and the files of the directories.

mod accounts;
mod applying;
mod asking;
mod cut_off;
mod failing;
mod gone;
mod live;
mod moving;
mod restoring;
mod schedule;
mod seeds;
pub mod steps;
