//! Where a request comes from, also through proxies.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};

use crate::config::TrustedProxies;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address. Each proxy adds the address that it sees to the end of `X-Forwarded-For`, so the header is read from its
/// end for as long as trusted proxies speak; what stands before that, anybody may have written. RFC 7239's `Forwarded` is not
/// read: a proxy that knows only one of the two passes the other on as the client sent it.
pub(super) fn find_client_address(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    let mut address = peer.to_canonical();
    let mut entries = headers.get_all(FORWARDED_FOR).iter().rev().flat_map(|value| {
        // An unreadable value is an unreadable entry: whoever wrote it, it ends what can be believed.
        value.to_str().unwrap_or_default().rsplit(',')
    });
    while trusted.contain(address) {
        match entries.next().map(read_entry) {
            Some(Some(named)) => address = named,
            Some(None) | None => break,
        }
    }
    address
}

/// Whether someone on the way says to have forwarded the request.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED_FOR) || headers.contains_key("forwarded")
}

/// An address, with or without a port; some proxies write one.
fn read_entry(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches([' ', '\t']);
    let bare = match entry.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?.0,
        None => match entry.split_once(':') {
            // One colon ends an IPv4 address; an IPv6 address has more.
            Some((host, port)) if !port.contains(':') => host,
            Some(_) | None => entry,
        },
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}
