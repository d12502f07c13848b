//! Settings for development and demonstration.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings for development and demonstration only. The server prints at its start those that are set.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DevelopmentSection {
    /// How long a confirmation link can be answered, in seconds, instead of 48 hours.
    #[schemars(range(min = 1, max = 172_800), extend("x-default" = "48 hours"))]
    link_lifetime_seconds: Option<u32>,
}

/// Settings for development and demonstration only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DevelopmentConfig {
    /// How long a confirmation link can be answered, instead of 48 hours; 1 second to 48 hours.
    pub link_lifetime: Option<TimeDelta>,
}

impl DevelopmentSection {
    pub(super) fn resolve(&self) -> DevelopmentConfig {
        DevelopmentConfig {
            link_lifetime: self.link_lifetime_seconds.map(|seconds| TimeDelta::seconds(seconds.into())),
        }
    }
}
