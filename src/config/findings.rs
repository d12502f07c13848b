//! What is wrong with a configuration, all of it, and where each thing stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::{Path, PathBuf},
};

use super::secret::Secret;

/// One thing that is wrong. It never holds the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands: a file and a dotted path, a variable, or a flag. A dotted path alone is a value that nobody gave.
    pub place: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// The configuration was refused. Prints one problem a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Everything that is wrong. Never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Collects problems, and knows which layer each value came from.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    reported: BTreeSet<String>,
    places: BTreeMap<String, String>,
}

impl Findings {
    /// Remembers that the value at a dotted path came from that place. The latest word counts.
    pub(super) fn note_place(&mut self, path: &str, place: String) {
        self.places.insert(path.to_owned(), place);
    }

    /// Reports what is wrong with a merged value, once: a value that is already refused has no other problem.
    pub(super) fn refuse(&mut self, path: &str, message: impl Into<String>) {
        if !self.is_refused(path) {
            let place = self.places.get(path).cloned().unwrap_or_else(|| path.to_owned());
            self.refuse_at(path, place, message);
        }
    }

    /// Reports what is wrong with the value that stands in that place, a layer of its own.
    pub(super) fn refuse_at(&mut self, path: &str, place: String, message: impl Into<String>) {
        self.reported.insert(path.to_owned());
        self.problems.push(Problem { place, message: message.into() });
    }

    /// Whether the value at that path was refused.
    pub(super) fn is_refused(&self, path: &str) -> bool {
        self.reported.contains(path)
    }

    /// Ends the collection.
    ///
    /// # Errors
    /// With every problem, if there are any.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigError> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            Some(_) | None => Err(ConfigError { problems: self.problems }),
        }
    }

    /// The value of a parser, or a report of why there is none.
    pub(super) fn accept<T, E: fmt::Display>(&mut self, path: &str, parsed: Result<T, E>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(problem) => {
                self.refuse(path, problem.to_string());
                None
            }
        }
    }

    /// A line of text that may not be blank.
    pub(super) fn take_line(&mut self, path: &str, text: &str) -> String {
        if text.trim().is_empty() {
            self.refuse(path, "must not be blank");
        } else if text.chars().any(char::is_control) {
            self.refuse(path, "must be one line without control characters");
        }
        text.trim().to_owned()
    }

    /// The secret at `path`, or the content of the file at `path_file` without the newline at its end.
    pub(super) fn take_secret(&mut self, path: &str, given: Option<&Secret>, file: Option<&PathBuf>) -> Option<Secret> {
        let from_file = format!("{path}_file");
        let (path, secret) = match (given, file) {
            (Some(secret), _) => (path, secret.clone()),
            (None, Some(file)) => (from_file.as_str(), Secret::new(self.take_file(&from_file, file)?)),
            (None, None) => return None,
        };
        if secret.expose().is_empty() {
            self.refuse(path, "must not be empty");
            return None;
        }
        Some(secret)
    }

    /// The content of a file without the newline at its end.
    pub(super) fn take_file(&mut self, path: &str, file: &Path) -> Option<String> {
        let read = fs::read_to_string(file).map_err(|error| describe_unreadable(file, &error));
        let text = self.accept(path, read)?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        Some(line.strip_suffix('\r').unwrap_or(line).to_owned())
    }
}

/// Says in plain words why a file cannot be read.
pub(super) fn describe_unreadable(file: &Path, error: &io::Error) -> String {
    let file = file.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file {file}"),
        io::ErrorKind::PermissionDenied => format!("the file {file} may not be read by this user"),
        io::ErrorKind::InvalidData => format!("the file {file} is not text in UTF-8"),
        io::ErrorKind::IsADirectory => format!("{file} is a directory; a file is needed"),
        _ => format!("the file {file} cannot be read: {error}"),
    }
}
