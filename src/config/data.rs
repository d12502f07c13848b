//! Where rollcall keeps its files.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::findings::Findings;

/// Where rollcall keeps its files.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DataSection {
    /// The folder of the SQLite file and of generated keys, made if it is missing. A relative path begins at the working
    /// directory.
    dir: PathBuf,
}

impl Default for DataSection {
    fn default() -> Self {
        Self { dir: "./data".into() }
    }
}

/// Where rollcall keeps its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataConfig {
    /// The folder of the SQLite file and of generated keys. It may not be there yet.
    pub dir: PathBuf,
}

impl DataSection {
    pub(super) fn resolve(&self, findings: &mut Findings) -> DataConfig {
        if self.dir.as_os_str().is_empty() {
            findings.refuse("data.dir", "must not be blank; `.` is the working directory");
        }
        DataConfig { dir: self.dir.clone() }
    }
}
