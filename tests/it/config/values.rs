//! What the values become.

use std::path::Path;

use chrono::TimeDelta;
use rollcall::{
    config::{AllowedOrigin, DatabaseLocation, DirectorySourceConfig, SmtpTls},
    domain::account::Locale,
};

use super::{ACCOUNT, demo, load, problems};

#[test]
fn a_database_file_is_named_after_sqlite() {
    for (url, file) in
        [("sqlite:roll.db", "roll.db"), ("sqlite://roll.db", "roll.db"), ("sqlite:///var/roll.db", "/var/roll.db")]
    {
        let location = load(&format!("[database]\nurl = '{url}'"), &[]).database.location;
        assert!(matches!(&location, DatabaseLocation::Sqlite(path) if path == Path::new(file)), "{url}: {location:?}");
    }
    for url in ["sqlite::memory:", "sqlite:", "sqlite:roll.db?mode=rwc"] {
        assert_eq!(problems(&format!("[database]\nurl = '{url}'"), &[]).len(), 1, "{url}");
    }
}

#[test]
fn the_port_of_the_mail_server_follows_from_its_tls() {
    for (tls, port) in [("starttls", 587), ("tls", 465), ("none", 25)] {
        let smtp = load(&format!("[smtp]\nhost = 'm.example'\ntls = '{tls}'"), &[]).smtp.unwrap();
        assert_eq!(smtp.port, port, "{tls}");
        assert_eq!(smtp.timeout.as_secs(), 15);
    }
    let smtp = load("", &[("ROLLCALL_SMTP__HOST", "m.example"), ("ROLLCALL_SMTP__PORT", "2525")]).smtp.unwrap();
    assert_eq!((smtp.tls, smtp.port), (SmtpTls::StartTls, 2525));
}

#[test]
fn an_account_becomes_the_settings_of_the_domain() {
    let toml = ACCOUNT.to_owned() + "[accounts.demo.directories.annex]\nkind = 'csv'\npath = 'annex.csv'";
    let env =
        [("ROLLCALL_ACCOUNTS__DEMO__LOCALE", "zh-CN"), ("ROLLCALL_ACCOUNTS__DEMO__REPLY_TO", "desk@demo.example")];
    let config = load(&toml, &env);
    let account = &config.accounts[&demo()];
    let settings = &account.settings;
    assert_eq!((settings.id.as_str(), settings.name.as_str()), ("demo", "Demo Operations Ltd"));
    assert_eq!(settings.sender.name.as_deref(), Some("Demo Operations Ltd"));
    assert_eq!(settings.sender.address, "rollcall@demo.example");
    assert_eq!(settings.reply_to.as_ref().unwrap().to_string(), "desk@demo.example");
    assert_eq!((settings.locale, settings.time_zone), (Locale::ZhCn, chrono_tz::UTC));
    assert_eq!((settings.default_country.as_str(), settings.erase_after), ("CN", TimeDelta::hours(24)));
    assert_eq!(settings.directories, ["annex", "hr"]);
    assert_eq!(account.directories["hr"].source, DirectorySourceConfig::Csv { path: "hr.csv".into() });
}

#[test]
fn an_origin_matches_as_browsers_send_it() {
    let origins =
        load("[server]\nallowed_origins = ['https://a.example', 'http://localhost:*']", &[]).server.allowed_origins;
    let allows = |origin: &str| origins.iter().any(|allowed: &AllowedOrigin| allowed.matches(origin));
    for origin in ["https://a.example", "http://localhost", "http://localhost:1", "http://localhost:65535"] {
        assert!(allows(origin), "{origin}");
    }
    for origin in [
        "http://a.example",
        "https://a.example:8443",
        "https://a.example.evil.example",
        "http://localhost.evil.example",
        "http://localhost:80.evil.example",
        "http://localhost:",
        "https://localhost:80",
        "null",
        "",
    ] {
        assert!(!allows(origin), "{origin}");
    }
}

#[test]
fn a_trusted_proxy_is_an_address_or_a_network() {
    assert!(
        !load("", &[]).server.trusted_proxies.contain("127.0.0.1".parse().unwrap()),
        "nobody is trusted by default"
    );
    let env =
        [("ROLLCALL_SERVER__TRUSTED_PROXIES", r#"["10.0.0.0/8", "192.0.2.7", "fd00::/8", "::ffff:198.51.100.1"]"#)];
    let trusted = load("", &env).server.trusted_proxies;
    for address in ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3", "192.0.2.7", "fd12::1", "198.51.100.1"] {
        assert!(trusted.contain(address.parse().unwrap()), "{address}");
    }
    for address in ["11.0.0.0", "192.0.2.8", "127.0.0.1", "::1", "fe00::1", "::a00:1", "198.51.100.2"] {
        assert!(!trusted.contain(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn the_public_url_is_the_one_given_or_the_address_bound() {
    let bound = "127.0.0.1:4000".parse().unwrap();
    assert_eq!(load("", &[]).server.find_public_url(bound), "http://127.0.0.1:4000");
    assert_eq!(load("", &[]).server.find_public_url("0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80");
    assert_eq!(load("", &[]).server.find_public_url("[::]:80".parse().unwrap()), "http://[::1]:80");
    let given = load("[server]\npublic_url = 'https://roll.example/team/'", &[]).server;
    assert_eq!(given.find_public_url(bound), "https://roll.example/team");
}

#[test]
fn a_language_is_negotiated_by_weight() {
    for (header, locale) in [
        ("", Locale::En),
        ("zh-CN,zh;q=0.9,en;q=0.8", Locale::ZhCn),
        ("fr, zh;q=0.5, en-GB;q=0.7", Locale::En),
        ("en;q=0.1, zh-Hans-CN", Locale::ZhCn),
        ("zh-TW, fr", Locale::En),
        ("zh;q=0, en;q=0.1", Locale::En),
        ("zh;q=high", Locale::En),
        ("ZH", Locale::ZhCn),
    ] {
        assert_eq!(Locale::negotiate(header), locale, "{header:?}");
    }
    assert_eq!(Locale::from_tag("zh-Hant"), None);
    assert_eq!(Locale::from_tag("de"), None);
    for locale in [Locale::En, Locale::ZhCn] {
        assert_eq!(Locale::from_tag(locale.tag()), Some(locale));
    }
}
