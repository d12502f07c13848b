//! How a command ends when it does not do what was asked.

use std::{error::Error, io, process::ExitCode};

/// The code when something failed.
const FAILED: u8 = 1;

/// The code when the command line is wrong, as clap has it, or when a person has to look at the outcome.
const LOOK: u8 = 2;

/// The command did not do what was asked: a sentence for whoever typed it, and the code that the process ends with.
///
/// It is no [`Error`] itself, so that every error can become one: its text is what is told.
#[derive(Debug)]
pub(super) struct Failure {
    message: Option<String>,
    code: u8,
}

impl Failure {
    /// Something failed.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), code: FAILED }
    }

    /// The command line asks for what does not go together.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), code: LOOK }
    }

    /// The command ran to its end, and a person has to look at what came out.
    pub(super) fn look(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), code: LOOK }
    }

    /// Standard output cannot be written to. Where its reader went away (`rollcall export | head`), that is no failure: it has
    /// what it wanted.
    pub(super) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self { message: None, code: 0 }
        } else {
            Self::new(format!("standard output cannot be written to: {error}"))
        }
    }

    /// Tells of it on standard error.
    pub(super) fn report(self) -> ExitCode {
        if let Some(message) = self.message {
            let mut lines = message.lines();
            eprintln!("error: {}", lines.next().unwrap_or_default());
            lines.for_each(|line| eprintln!("  {line}"));
        }
        self.code.into()
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.to_string())
    }
}
