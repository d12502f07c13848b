//! The proxies that are believed about where a request comes from.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;

use super::findings::Findings;

/// The proxies that are believed about where a request comes from. By default nobody is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Whether the address is one of theirs. An IPv4 address that is written as IPv6 is taken for what it is.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    pub(super) fn resolve(texts: &[String], findings: &mut Findings) -> Self {
        let mut seen = BTreeSet::new();
        let mut networks = Vec::new();
        let mut problems = Vec::new();
        for text in texts {
            match parse(text) {
                Ok(network) if seen.insert(network) => networks.push(network),
                Ok(_) => problems.push(format!("\"{text}\" is there twice")),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            findings.refuse("server.trusted_proxies", problems.join("; "));
        }
        Self(networks)
    }
}

/// One address, or a network as its first address and the length of its prefix.
fn parse(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let Ok(network) = text.parse::<IpNet>() else {
        return Err(format!("\"{text}\" is no address or network such as 10.0.0.5, 10.0.0.0/8 or fd00::/8"));
    };
    if network.prefix_len() == 0 {
        return Err(format!("\"{text}\" would believe everybody, so that a client could pass for any other"));
    }
    if network.addr() != network.network() {
        return Err(format!("\"{text}\" does not begin where its network does; write \"{}\"", network.trunc()));
    }
    Ok(network)
}
