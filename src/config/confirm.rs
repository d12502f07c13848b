//! Where the confirm page is to be had.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    findings::Findings,
    server::{parse_address, parse_public_url},
};

/// Where the confirm page is to be had, which the links in messages lead to. It can have a listener of its own, so that nothing
/// else of the server is ever reached from the Internet.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ConfirmSection {
    /// The address and port on which the confirm page is served, and nothing else. `server.listen` then no longer serves it.
    #[schemars(extend("x-default" = "none: it is served on `server.listen`"))]
    listen: Option<String>,
    /// The URL (http or https) under which people reach the confirm page, where it is another than `server.public_url`.
    #[schemars(extend("x-default" = "`server.public_url`, if that is given, and else `http://` and the address it is served on"))]
    url: Option<String>,
}

/// Where the confirm page is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmConfig {
    /// Its own address, port 0 for a free one; `None` where it is served beside everything else.
    pub listen: Option<SocketAddr>,
    /// The URL as given, without a slash at its end.
    pub url: Option<String>,
}

impl ConfirmSection {
    pub(super) fn resolve(&self, findings: &mut Findings) -> ConfirmConfig {
        let listen = self.listen.as_deref().map(|listen| parse_address(listen, "127.0.0.1:8081"));
        let url = self.url.as_deref().map(parse_public_url);
        ConfirmConfig {
            listen: listen.and_then(|parsed| findings.accept("confirm.listen", parsed)),
            url: url.and_then(|parsed| findings.accept("confirm.url", parsed)),
        }
    }
}
