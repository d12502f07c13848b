//! The executable: installs the TLS provider, parses the arguments, and hands over to the commands.

use std::process::ExitCode;

use clap::Parser as _;
use rollcall::cli::{self, Arguments};

fn main() -> ExitCode {
    // It fails only where a provider is installed already, which nothing can have done before the first line.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    cli::run(Arguments::parse())
}
