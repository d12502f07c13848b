//! What an operator should know of a configuration that is good, but not for serious use.

use reqwest::Url;

use crate::config::{Config, TokenKeysConfig, is_loopback_http};

/// One sentence or two each.
pub(super) fn list(config: &Config) -> Vec<String> {
    let url = config.find_confirm_url();
    let mut notices = Vec::new();
    if config.smtp.is_none() {
        notices.push(
            "No mail server is configured ([smtp]): mail lands in the outbox, which is for demonstration and development \
             only. Nobody is reached."
                .to_owned(),
        );
    }
    notices.push(
        "SMS and voice messages land in the outbox, which is for demonstration and development only. Nobody is reached."
            .to_owned(),
    );
    if config.smtp.is_some() && is_loopback(&url) {
        notices.push(format!(
            "Confirmation mails go out with links to {url}, which opens on this machine only: set \
             server.public_url, or confirm.url, to the address under which engineers reach the confirm page."
        ));
    }
    if let Some(metrics) = config.metrics.listen.filter(|address| !address.ip().is_loopback()) {
        notices.push(format!(
            "Metrics are told to whoever reaches {metrics}: counts, and the names of accounts and directories. Keep it to a \
             network of your own."
        ));
    }
    if let TokenKeysConfig::KeySet(key_set) = &config.auth.keys
        && is_loopback_http(key_set.location.url())
    {
        notices.push(format!(
            "The keys that check access tokens are read without TLS ({}), from this machine: for development only.",
            key_set.location.setting()
        ));
    }
    if let Some(lifetime) = config.development.link_lifetime {
        notices.push(format!(
            "development.link_lifetime_seconds is set: a confirmation link lives {} seconds instead of 48 hours. Never \
             set it for serious use.",
            lifetime.num_seconds()
        ));
    }
    notices
}

/// Whether only this machine can open the URL.
fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_local_name = host == "localhost" || host.ends_with(".localhost");
    is_local_name || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
