//! `rollcall schema`.

use clap::Args;

use super::{failure::Failure, output};
use crate::app;

/// Print the GraphQL schema (SDL)
#[derive(Debug, Args)]
pub(super) struct Schema {}

impl Schema {
    pub(super) fn run(self) -> Result<(), Failure> {
        let sdl = app::sdl();
        output::print(&format!("{}\n", sdl.trim_end()))
    }
}
