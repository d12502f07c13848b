//! Where the metrics are to be had.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{findings::Findings, server::parse_address};

/// Where the metrics are to be had: `/metrics`, for Prometheus and the like, and the health checks beside them. They hold no
/// personal data, and names of accounts and directories.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MetricsSection {
    /// Whether there are any. The demonstration has none unless this is set to true.
    enabled: bool,
    /// The address and port to listen on, of which each server on a machine needs another. There is no sign-in: keep it to
    /// the machine, or to a network of your own.
    listen: String,
}

impl Default for MetricsSection {
    fn default() -> Self {
        Self { enabled: true, listen: "127.0.0.1:9464".to_owned() }
    }
}

/// Where the metrics are to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsConfig {
    /// The address to listen on, port 0 for a free one; `None` where there are no metrics.
    pub listen: Option<SocketAddr>,
}

impl MetricsSection {
    pub(super) fn resolve(&self, findings: &mut Findings) -> Option<MetricsConfig> {
        let listen = findings.accept("metrics.listen", parse_address(&self.listen, "127.0.0.1:9464"))?;
        Some(MetricsConfig { listen: self.enabled.then_some(listen) })
    }
}
