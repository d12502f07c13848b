//! Addresses of chat robots: what is taken is an address of the vendor also for those who read URLs as browsers do.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall::domain::{
    channel::ChannelKind,
    endpoint::{RobotSecret, Webhook},
};
use url::{Host, Url};

const HOSTS: [&str; 4] = ["qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn", "open.larksuite.com"];

fuzz_target!(|input: &str| {
    for kind in ChannelKind::ALL {
        if let Ok(webhook) = Webhook::parse(kind, input) {
            check(kind, input, &webhook);
        }
        if let Ok(secret) = RobotSecret::parse(kind, input) {
            assert_eq!(secret.as_str(), input);
            assert_eq!(format!("{secret:?}"), "RobotSecret([redacted])");
        }
    }
});

fn check(kind: ChannelKind, input: &str, webhook: &Webhook) {
    assert_eq!(webhook.as_str(), input);
    let url = Url::parse(input).expect("a URL");
    assert_eq!(url.as_str(), input, "a reader of URLs changes nothing of it");
    assert_eq!((url.scheme(), url.port(), url.username(), url.password()), ("https", None, "", None));
    assert_eq!(url.fragment(), None);
    assert!(url.query_pairs().count() <= 1);
    let Some(Host::Domain(host)) = url.host() else { panic!("no host by name: {input}") };
    assert!(HOSTS.contains(&host), "{host}");
    let is_own = |prefix: &&str| prefix.strip_prefix("https://").is_some_and(|rest| rest.starts_with(host));
    assert!(Webhook::prefixes(kind).iter().any(is_own), "{kind:?}: {host}");
    // The last four characters are shown, and a key has more.
    assert!(!webhook.masked().contains(&input[input.len() - 8..]));
}
