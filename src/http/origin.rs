//! Which pages may talk to the server, and under which names it is known to be local.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};

use super::{HttpState, client_address::is_forwarded};
use crate::{config::AllowedOrigin, domain::request::RequestContext};

/// The text of a header, if there is one that can be read.
pub(super) fn header_text(headers: &HeaderMap, name: impl Into<HeaderName>) -> Option<&str> {
    headers.get(name.into()).and_then(|value| value.to_str().ok())
}

/// The entries of a header that is a list, which may stand in several lines (RFC 9110, section 5.3).
pub(super) fn header_list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// The origin of an absolute URL: scheme, host and port.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let path = url.get(host..).and_then(|rest| rest.find('/'));
    path.and_then(|path| url.get(..host + path)).unwrap_or(url)
}

/// The path of an absolute URL without a slash at its end: empty for most servers, and `/rollcall` for one that a proxy
/// shows at such a path.
pub(super) fn path_of(url: &str) -> &str {
    url.get(origin_of(url).len()..).unwrap_or_default().trim_end_matches('/')
}

/// Whether a page of the request's `Origin` may open a WebSocket. Programs that are no browsers send none, and may: a
/// token is never sent by itself.
pub(super) fn may_connect(headers: &HeaderMap, allowed: &[AllowedOrigin], public_url: &str) -> bool {
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    let Some(origin) = header_text(headers, header::ORIGIN) else { return false };
    let own = origin == origin_of(public_url);
    let same_host = header_text(headers, header::HOST)
        .is_some_and(|host| ["http://", "https://"].iter().any(|scheme| origin.strip_prefix(scheme) == Some(host)));
    own || same_host || allowed.iter().any(|allowed| allowed.matches(origin))
}

/// Whether the request comes from this machine and names the server so. A reader on the network could name it as they like,
/// and so could whoever stands behind a proxy that is not known to be one.
pub(super) fn is_local(state: &HttpState, context: RequestContext, headers: &HeaderMap) -> bool {
    let address = context.address;
    let from_here = address.is_loopback() || address == state.bound.ip().to_canonical();
    let is_vouched_for = !is_forwarded(headers) || state.trusted_proxies.contain(address);
    from_here && is_vouched_for && is_named_locally(headers, state.bound)
}

/// Whether the request names the server by a loopback name or by the address that it listens on. A page of another site
/// whose name was pointed at this server (DNS rebinding) names it otherwise.
fn is_named_locally(headers: &HeaderMap, bound: SocketAddr) -> bool {
    let Some(host) = header_text(headers, header::HOST).map(without_port) else { return false };
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.is_ok_and(|ip| ip.is_loopback() || (ip == bound.ip() && !ip.is_unspecified()))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}
