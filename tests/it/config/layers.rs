//! Which layer wins, and what the files beside the source say.

use std::{fs, path::Path};

use chrono::TimeDelta;
use rollcall::config::{self, DatabaseLocation, DirectorySourceConfig, Overrides};

use super::{ACCOUNT, Folder, demo, load};

#[test]
fn an_empty_file_gives_the_defaults() {
    let config = load("", &[]);
    assert_eq!(config.server.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.server.max_body_bytes, 65_536);
    assert_eq!(config.server.max_import_bytes, 16 * 1024 * 1024);
    assert_eq!(config.data.dir, Path::new("./data"));
    assert!(
        matches!(&config.database.location, DatabaseLocation::Sqlite(file) if file == Path::new("./data/rollcall.sqlite"))
    );
    assert_eq!(config.worker.confirmation_sync.as_secs(), 600);
    assert_eq!(config.retention.events, TimeDelta::days(30));
    assert_eq!(config.development.link_lifetime, None);
    assert!(config.auth.keys.given_secret().is_none() && config.keys.sealing_key.is_none() && config.smtp.is_none());
    assert!(config.accounts.is_empty());
}

#[test]
fn the_stronger_layer_wins_key_by_key() {
    let base =
        "[server]\nlisten = '127.0.0.1:1'\nmax_body_bytes = 1001001\n[data]\ndir = 'base'\n[log]\nfilter = 'warn'";
    let folder = Folder::new("[server]\nlisten = '127.0.0.1:2'\n[data]\ndir = 'file'\n[log]\nfilter = 'debug'");
    let file = folder.0.path().join("rollcall.toml");
    let load = |env: &[(&str, &str)], overrides| {
        let env: Vec<_> = env.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        config::load(Some(base), Some(&file), env, overrides).unwrap()
    };
    let overrides = Overrides { data_dir: Some("flag".into()), ..Overrides::default() };
    let config = load(&[("ROLLCALL_SERVER__LISTEN", "127.0.0.1:3"), ("ROLLCALL_DATA__DIR", "variable")], overrides);
    assert_eq!(config.server.max_body_bytes, 1_001_001, "from the base");
    assert_eq!(config.log.filter, "debug", "from the file");
    assert_eq!(config.server.listen.port(), 3, "from the variable");
    assert_eq!(config.data.dir, Path::new("flag"), "from the flag");

    let extra = toml::from_str("[server]\nlisten = '127.0.0.1:4'\n[log]\nfilter = 'error'").unwrap();
    let overrides = Overrides { listen: Some("127.0.0.1:5".parse().unwrap()), extra, ..Overrides::default() };
    let config = load(&[("ROLLCALL_LOG__FILTER", "trace")], overrides);
    assert_eq!(config.log.filter, "error", "an extra setting beats a variable");
    assert_eq!(config.server.listen.port(), 5, "a flag of its own beats an extra setting");
}

#[test]
fn variables_carry_numbers_flags_lists_and_keys_of_accounts() {
    let account = ACCOUNT.replace("accounts.demo", "accounts.my-firm");
    let config = load(
        &account,
        &[
            ("ROLLCALL_SERVER__MAX_BODY_BYTES", "2048"),
            ("ROLLCALL_SERVER__ALLOWED_ORIGINS", r#"["https://a.example", "http://localhost:*"]"#),
            ("ROLLCALL_ACCOUNTS__MY_FIRM__SUBSCRIBE_ON_SYNC", "true"),
            ("ROLLCALL_ACCOUNTS__MY_FIRM__NAME", "42"),
            ("ROLLCALL_ACCOUNTS__MY_FIRM__DIRECTORIES__HR__SYNC_SECONDS", "60"),
            ("PATH", "/bin"),
        ],
    );
    assert_eq!(config.server.max_body_bytes, 2048);
    assert_eq!(config.server.allowed_origins.len(), 2);
    let account = &config.accounts[&"my-firm".parse().unwrap()];
    assert!(account.settings.subscribe_on_sync);
    assert_eq!(account.settings.name, "42", "text stays text");
    assert_eq!(account.directories["hr"].sync_every.unwrap().as_secs(), 60);
}

#[test]
fn variables_that_a_container_platform_sets_are_left_alone() {
    let env = [
        ("ROLLCALL_CONFIG", "rollcall.toml"),
        ("ROLLCALL_PORT", "tcp://10.0.0.1:80"),
        ("ROLLCALL_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("ROLLCALL_SERVICE_HOST", "10.0.0.1"),
        ("ROLLCALL_SERVICE_PORT_HTTP", "80"),
    ];
    load("", &env);
}

#[test]
fn the_demo_layer_lies_beneath_file_and_flags() {
    let extra = toml::from_str("accounts.demo.directories.hr.path = '/data/engineers.csv'").unwrap();
    let overrides = Overrides { extra, ..Overrides::default() };
    let env = [("ROLLCALL_ACCOUNTS__DEMO__NAME".to_owned(), "Ours".to_owned())];
    let config = config::load(Some(config::DEMO_LAYER), None, env, overrides).unwrap_or_else(|error| panic!("{error}"));
    let account = &config.accounts[&demo()];
    assert_eq!(account.settings.name, "Ours");
    assert_eq!(account.directories["hr"].source, DirectorySourceConfig::Csv { path: "/data/engineers.csv".into() });
    assert!(config.server.allowed_origins[0].matches("http://localhost:5173"));
}

#[test]
fn the_example_file_loads() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rollcall.toml");
    let config = config::load(None, Some(&file), [], Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.accounts.len(), 1);
}

#[test]
fn the_documentation_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == config::documentation(),
        "docs/configuration.md is out of date: `cargo run -- config docs > docs/configuration.md`"
    );
}
