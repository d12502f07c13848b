//! Where the engineers of an account come from.

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::findings::Findings;

/// A directory: where engineers come from.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DirectorySection {
    /// What it is. A CSV file has a header row and is in UTF-8 or GB18030.
    #[schemars(extend("x-required" = true))]
    kind: Option<DirectoryKind>,
    /// The CSV file. A relative path begins at the working directory.
    #[schemars(extend("x-required" = true))]
    path: Option<PathBuf>,
    /// How often the directory is read by itself, in seconds; only on request without it.
    #[schemars(range(min = 10, max = 31_536_000))]
    sync_seconds: Option<u32>,
}

/// What a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum DirectoryKind {
    /// A CSV file.
    Csv,
}

/// What a directory is, with what is needed to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectorySourceConfig {
    /// A CSV file.
    Csv {
        /// Where it is. It is read at each sync and may be missing until then.
        path: PathBuf,
    },
}

/// A directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryConfig {
    /// What it is.
    pub source: DirectorySourceConfig,
    /// How often it is read by itself, 10 seconds to 1 year; `None`: only on request.
    pub sync_every: Option<Duration>,
}

impl DirectorySection {
    /// Resolves the section that stands at the dotted path `at`.
    pub(super) fn resolve(&self, at: &str, findings: &mut Findings) -> Option<DirectoryConfig> {
        let path = self.path.clone().unwrap_or_default();
        if path.as_os_str().is_empty() {
            findings.refuse(&format!("{at}.path"), "must not be blank");
        }
        let source = match self.kind? {
            DirectoryKind::Csv => DirectorySourceConfig::Csv { path },
        };
        let sync_every = self.sync_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        Some(DirectoryConfig { source, sync_every })
    }
}
