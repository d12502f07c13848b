//! Webhooks of chat robots, and their secrets.

use proptest::prelude::*;
use rollcall::domain::{
    channel::ChannelKind,
    endpoint::{EndpointError, Reason, RobotSecret, Webhook},
};

const UUID: &str = "0d1e2f3a-4b5c-6d7e-8f90-a1b2c3d4e5f6";
const HEX64: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccdda1b2";

/// Good addresses, written out in full so that the allow-list is checked against a second hand.
fn good() -> [(ChannelKind, String); 4] {
    [
        (ChannelKind::Wecom, format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={UUID}")),
        (ChannelKind::Dingtalk, format!("https://oapi.dingtalk.com/robot/send?access_token={HEX64}")),
        (ChannelKind::Lark, format!("https://open.feishu.cn/open-apis/bot/v2/hook/{UUID}")),
        (ChannelKind::Lark, format!("https://open.larksuite.com/open-apis/bot/v2/hook/{UUID}")),
    ]
}

fn refusal(kind: ChannelKind, raw: &str) -> Option<Reason> {
    match Webhook::parse(kind, raw) {
        Ok(_) => None,
        Err(EndpointError::InvalidWebhook(reason)) => Some(reason),
        Err(other) => panic!("{raw:?} was refused with {other:?}"),
    }
}

#[test]
fn the_addresses_that_the_vendors_hand_out_are_taken_unchanged() {
    for (kind, url) in good() {
        assert_eq!(Webhook::parse(kind, &url).unwrap().as_str(), url);
    }
}

#[test]
fn an_address_of_another_channel_is_refused() {
    for (kind, url) in good() {
        for other in ChannelKind::ALL.into_iter().filter(|other| *other != kind) {
            let reason = if other.needs_confirmation() { Reason::NoWebhook } else { Reason::WrongHost };
            assert_eq!(refusal(other, &url), Some(reason), "{url} as {other:?}");
        }
    }
}

/// What replaces `(before, after)` in each good address, and the reason. `{host}` stands for the host.
const HOSTILE: &[(&str, &str, Reason)] = &[
    ("https://", "", Reason::NotHttps),
    ("https://", "//", Reason::NotHttps),
    ("https://", "http://", Reason::NotHttps),
    ("https://", "HTTPS://", Reason::NotHttps),
    ("https://", "https:/", Reason::NotHttps),
    ("https://", "https:", Reason::NotHttps),
    ("https://", "ftp://", Reason::NotHttps),
    ("https://", "file://", Reason::NotHttps),
    ("https://", "gopher://", Reason::NotHttps),
    ("https://", "javascript://", Reason::NotHttps),
    ("https://", "https:///", Reason::WrongHost),
    ("https://", "https:\\\\", Reason::ForbiddenCharacter),
    ("https://", "https:/\\", Reason::ForbiddenCharacter),
    ("https://", " https://", Reason::ForbiddenCharacter),
    ("https://", "\u{feff}https://", Reason::ForbiddenCharacter),
    ("https://", "ht\ntps://", Reason::ForbiddenCharacter),
    ("https://", "https\t://", Reason::ForbiddenCharacter),
    ("https://", "https:／／", Reason::ForbiddenCharacter),
    ("https://", "ｈttps://", Reason::ForbiddenCharacter),
    ("https://", "https://user@", Reason::UserInfo),
    ("https://", "https://user:secret@", Reason::UserInfo),
    ("https://", "https://:@", Reason::UserInfo),
    ("https://", "https://@", Reason::UserInfo),
    ("{host}", "{host}@evil.example", Reason::UserInfo),
    ("{host}", "{host}:443@evil.example", Reason::UserInfo),
    ("{host}", "evil.example\\@{host}", Reason::ForbiddenCharacter),
    ("{host}", "evil.example%40{host}", Reason::ForbiddenCharacter),
    ("{host}", "evil.example#@{host}", Reason::WrongHost),
    ("{host}", "evil.example/{host}", Reason::WrongHost),
    ("{host}", "evil.example?{host}", Reason::WrongHost),
    ("{host}", "{host}:443", Reason::Port),
    ("{host}", "{host}:", Reason::Port),
    ("{host}", "{host}:80", Reason::Port),
    ("{host}", "{host}:0443", Reason::Port),
    ("{host}", "{host}.", Reason::WrongHost),
    ("{host}", "{host}..", Reason::WrongHost),
    ("{host}", ".{host}", Reason::WrongHost),
    ("{host}", "{host}.evil.example", Reason::WrongHost),
    ("{host}", "evil{host}", Reason::WrongHost),
    ("{host}", "evil.{host}", Reason::WrongHost),
    ("{host}", "{host}evil", Reason::WrongHost),
    ("{host}", "127.0.0.1", Reason::WrongHost),
    ("{host}", "2130706433", Reason::WrongHost),
    ("{host}", "0x7f.1", Reason::WrongHost),
    ("{host}", "169.254.169.254", Reason::WrongHost),
    ("{host}", "localhost", Reason::WrongHost),
    ("{host}", "[::1]", Reason::Port),
    ("{host}", "[::ffff:127.0.0.1]", Reason::Port),
    ("{host}", "", Reason::WrongHost),
    ("{host}", "{host} ", Reason::ForbiddenCharacter),
    ("{host}", "{host}\t", Reason::ForbiddenCharacter),
    ("{host}", "{host}\r\nHost: evil.example", Reason::ForbiddenCharacter),
    ("{host}", "{host}\0.evil.example", Reason::ForbiddenCharacter),
    ("{host}", "{host}%2eevil.example", Reason::ForbiddenCharacter),
    ("{host}", "{host}\\.evil.example", Reason::ForbiddenCharacter),
    ("{host}", "{host}。evil.example", Reason::ForbiddenCharacter),
    ("{host}", "{host}⁄evil.example", Reason::ForbiddenCharacter),
    (".com", "。com", Reason::ForbiddenCharacter),
    (".cn", "．cn", Reason::ForbiddenCharacter),
    (".com", ".\tcom", Reason::ForbiddenCharacter),
    (".com", ".ｃom", Reason::ForbiddenCharacter),
    (".com", ".c\u{43e}m", Reason::ForbiddenCharacter),
    (".com", ".c\u{ad}om", Reason::ForbiddenCharacter),
    (".com", ".c%6fm", Reason::ForbiddenCharacter),
    (".com", ".COM", Reason::WrongHost),
    (".cn", ".Cn", Reason::WrongHost),
    (".com", ".co", Reason::WrongHost),
    (".com", ".com.cn", Reason::WrongHost),
    ("oapi.", "api.", Reason::WrongHost),
    ("dingtalk", "dingta1k", Reason::WrongHost),
    ("dingtalk", "DingTalk", Reason::WrongHost),
    ("feishu", "fe1shu", Reason::WrongHost),
    ("larksuite", "larksuite-cdn", Reason::WrongHost),
    ("weixin", "weix1n", Reason::WrongHost),
    ("/send", "/SEND", Reason::WrongPath),
    ("/send", "/send/", Reason::WrongPath),
    ("/send", "//send", Reason::WrongPath),
    ("/send", "/./send", Reason::WrongPath),
    ("/send", "/x/../send", Reason::WrongPath),
    ("/send", "/%2e%2e/send", Reason::ForbiddenCharacter),
    ("/send", "/s%65nd", Reason::ForbiddenCharacter),
    ("/send", "\\send", Reason::ForbiddenCharacter),
    ("/send", "/send;x=1", Reason::WrongPath),
    ("/send", "/upload_media", Reason::WrongPath),
    ("?key=", "?KEY=", Reason::WrongPath),
    ("?key=", "?x=1&key=", Reason::WrongPath),
    ("?key=", "?key", Reason::WrongPath),
    ("?key=", "?key==", Reason::WrongKey),
    ("?key=", "#?key=", Reason::Fragment),
    ("?access_token=", "?access_token=&access_token=", Reason::ExtraParameter),
    ("?access_token=", "?Access_Token=", Reason::WrongPath),
    ("?access_token=", "?token=", Reason::WrongPath),
    ("?access_token=", "/access_token=", Reason::WrongPath),
    ("/v2/", "/v1/", Reason::WrongPath),
    ("/v2/", "/V2/", Reason::WrongPath),
    ("/hook/", "/hook//", Reason::WrongKey),
    ("/hook/", "/hook/../", Reason::WrongKey),
    ("/hook/", "/hook?id=", Reason::WrongPath),
];

/// What is put behind each good address, and the reason.
const TAILS: &[(&str, Reason)] = &[
    ("#", Reason::Fragment),
    ("#x", Reason::Fragment),
    ("&", Reason::ExtraParameter),
    ("&debug=1", Reason::ExtraParameter),
    ("&timestamp=1768464550000&sign=x", Reason::ExtraParameter),
    (";x=1", Reason::ExtraParameter),
    ("?", Reason::ExtraParameter),
    ("?x=1", Reason::ExtraParameter),
    ("/", Reason::WrongKey),
    ("/../x", Reason::WrongKey),
    ("0", Reason::WrongKey),
    ("-", Reason::WrongKey),
    ("\n", Reason::ForbiddenCharacter),
    ("\r\n\r\nGET / HTTP/1.1", Reason::ForbiddenCharacter),
    (" ", Reason::ForbiddenCharacter),
    ("\0", Reason::ForbiddenCharacter),
    ("\u{a0}", Reason::ForbiddenCharacter),
    ("%00", Reason::ForbiddenCharacter),
    ("%0d%0aX:y", Reason::ForbiddenCharacter),
    ("\\", Reason::ForbiddenCharacter),
    ("\u{200b}", Reason::ForbiddenCharacter),
    ("０", Reason::ForbiddenCharacter),
];

#[test]
fn every_hostile_address_is_refused_with_its_reason() {
    let mut tried = 0;
    for (kind, url) in good() {
        let host = url.split('/').nth(2).unwrap().to_owned();
        let fill = |text: &str| text.replace("{host}", &host);
        let altered = HOSTILE.iter().filter_map(|&(before, after, reason)| {
            let hostile = url.replacen(&fill(before), &fill(after), 1);
            (hostile != url).then_some((hostile, reason))
        });
        let tailed = TAILS.iter().map(|&(tail, reason)| (format!("{url}{tail}"), reason));
        for (hostile, reason) in altered.chain(tailed) {
            assert_eq!(refusal(kind, &hostile), Some(reason), "{hostile:?}");
            tried += 1;
        }
    }
    assert!(tried > 300, "only {tried} addresses were tried");
    for &(before, after, _) in HOSTILE {
        let used = before == "{host}" || good().iter().any(|(_, url)| url.contains(before));
        assert!(used, "{before:?} -> {after:?} alters no address");
    }
}

#[test]
fn a_key_has_exactly_the_form_of_its_channel() {
    let short = &HEX64[1..];
    let keys = [
        (ChannelKind::Wecom, HEX64.to_owned()),
        (ChannelKind::Wecom, UUID.replace('-', "")),
        (ChannelKind::Wecom, UUID.replace('a', "g")),
        (ChannelKind::Wecom, format!("{{{UUID}}}")),
        (ChannelKind::Wecom, "0d1e2f3a4-b5c-6d7e-8f90-a1b2c3d4e5f6".to_owned()),
        (ChannelKind::Wecom, String::new()),
        (ChannelKind::Dingtalk, UUID.to_owned()),
        (ChannelKind::Dingtalk, short.to_owned()),
        (ChannelKind::Dingtalk, format!("{short}g")),
        (ChannelKind::Dingtalk, format!("0x{}", &HEX64[2..])),
        (ChannelKind::Dingtalk, String::new()),
        (ChannelKind::Lark, HEX64.to_owned()),
        (ChannelKind::Lark, UUID[1..].to_owned()),
        (ChannelKind::Lark, String::new()),
    ];
    for (kind, key) in keys {
        for prefix in Webhook::prefixes(kind) {
            assert_eq!(refusal(kind, &format!("{prefix}{key}")), Some(Reason::WrongKey), "{kind:?} {key}");
        }
    }
    assert_eq!(refusal(ChannelKind::Wecom, ""), Some(Reason::Empty));
}

#[test]
fn a_masked_webhook_shows_the_host_and_four_characters() {
    let masked =
        ["https://qyapi.weixin.qq.com/…e5f6", "https://oapi.dingtalk.com/…a1b2", "https://open.feishu.cn/…e5f6"];
    for ((kind, url), masked) in good().into_iter().zip(masked) {
        let webhook = Webhook::parse(kind, &url).unwrap();
        assert_eq!(webhook.masked(), masked);
        assert_eq!(format!("{webhook:?}"), format!("Webhook({masked})"));
    }
}

#[test]
fn secrets_are_taken_in_the_form_of_their_channel() {
    let long = "s".repeat(256);
    for (kind, raw) in [
        (ChannelKind::Dingtalk, "SEC0".to_owned()),
        (ChannelKind::Dingtalk, format!("SEC{long}")),
        (ChannelKind::Lark, "x".to_owned()),
        (ChannelKind::Lark, "fake/Lark+Secret=123~!".to_owned()),
        (ChannelKind::Lark, long.clone()),
    ] {
        let secret = RobotSecret::parse(kind, &raw).unwrap();
        assert_eq!((secret.as_str(), format!("{secret:?}").as_str()), (raw.as_str(), "RobotSecret([redacted])"));
    }
}

#[test]
fn what_is_no_secret_is_refused_with_the_reason() {
    let cases = [
        (ChannelKind::Dingtalk, "", Reason::Empty),
        (ChannelKind::Dingtalk, "SEC", Reason::TooShort),
        (ChannelKind::Dingtalk, "sec0123", Reason::WrongPrefix),
        (ChannelKind::Dingtalk, "0123", Reason::WrongPrefix),
        (ChannelKind::Dingtalk, " SEC0123", Reason::ForbiddenCharacter),
        (ChannelKind::Dingtalk, "SEC01\n23", Reason::ForbiddenCharacter),
        (ChannelKind::Lark, "", Reason::Empty),
        (ChannelKind::Lark, "two words", Reason::ForbiddenCharacter),
        (ChannelKind::Lark, "秘密", Reason::ForbiddenCharacter),
        (ChannelKind::Wecom, "SEC0123", Reason::NoSecret),
        (ChannelKind::Email, "SEC0123", Reason::NoSecret),
    ];
    for (kind, raw, reason) in cases {
        assert_eq!(RobotSecret::parse(kind, raw), Err(EndpointError::InvalidValue(reason)), "{kind:?} {raw:?}");
    }
    let long = "s".repeat(257);
    assert_eq!(RobotSecret::parse(ChannelKind::Lark, &long), Err(EndpointError::TooLong { max: 256 }));
    let long = format!("SEC{long}");
    assert_eq!(RobotSecret::parse(ChannelKind::Dingtalk, &long), Err(EndpointError::TooLong { max: 259 }));
}

proptest! {
    #[test]
    fn one_changed_character_outside_the_key_is_refused(which in 0..4_usize, at in 0..40_usize, with in any::<char>()) {
        let (kind, url) = good()[which].clone();
        let mut altered: Vec<char> = url.chars().collect();
        prop_assume!(altered[at] != with && at < url.len() - UUID.len());
        altered[at] = with;
        let altered: String = altered.into_iter().collect();
        prop_assert!(Webhook::parse(kind, &altered).is_err(), "{}", altered);
    }

    #[test]
    fn every_key_of_the_right_form_is_taken_and_masked(hex in "[0-9a-f]{64}", uuid in "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}") {
        for (kind, key) in [(ChannelKind::Wecom, &uuid), (ChannelKind::Dingtalk, &hex), (ChannelKind::Lark, &uuid)] {
            for prefix in Webhook::prefixes(kind) {
                let webhook = Webhook::parse(kind, &format!("{prefix}{key}")).unwrap();
                prop_assert_eq!(Webhook::parse(kind, webhook.as_str()), Ok(webhook.clone()));
                let debug = format!("{webhook:?}");
                prop_assert!(!debug.contains(&key[..key.len() - 4]));
            }
        }
    }

    #[test]
    fn no_text_makes_the_reading_panic(raw in any::<String>()) {
        for kind in ChannelKind::ALL {
            prop_assert!(Webhook::parse(kind, &raw).is_err());
            let _ = RobotSecret::parse(kind, &raw);
            for prefix in Webhook::prefixes(kind) {
                let _ = Webhook::parse(kind, &format!("{prefix}{raw}"));
            }
        }
    }
}
