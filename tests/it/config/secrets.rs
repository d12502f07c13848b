//! Secrets: how they are given, and that they are not shown.

use rollcall::config::{DatabaseLocation, Overrides};

use super::{ACCOUNT, Folder, load, problems};

const SECRET: &str = "correct-horse-battery-staple-0123456789";
/// `0123456789abcdef` twice, in Base64.
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

#[test]
fn secrets_come_from_files_without_the_newline_at_the_end() {
    let folder = Folder::new(ACCOUNT);
    let token = folder.write("token", &format!("{SECRET}\n"));
    let sealing = folder.write("sealing", &format!("{KEY}\r\n"));
    let url = folder.write("url", "postgres://me:hunter2@db.example/roll\n");
    let env = [
        ("ROLLCALL_AUTH__TOKEN_SECRET_FILE", token.as_str()),
        ("ROLLCALL_KEYS__SEALING_KEY_FILE", sealing.as_str()),
        ("ROLLCALL_KEYS__INDEX_KEY", KEY),
        ("ROLLCALL_DATABASE__URL_FILE", url.as_str()),
    ];
    let config = folder.load(&env, Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.auth.keys.given_secret().unwrap().expose(), SECRET);
    assert_eq!(config.keys.sealing_key.unwrap().expose(), b"0123456789abcdef0123456789abcdef");
    assert_eq!(config.keys.index_key, config.keys.sealing_key);
    assert!(
        matches!(&config.database.location, DatabaseLocation::Postgres(url) if url.expose() == "postgres://me:hunter2@db.example/roll")
    );
    assert!(!config.print().contains("hunter2") && !format!("{config:?}").contains("hunter2"));
}

#[test]
fn bad_secrets_are_refused_and_not_repeated() {
    let folder = Folder::new(
        "[auth]\ntoken_secret = 'short'\n[keys]\nsealing_key = 'aHVudGVyMg=='\nindex_key = 'hunter2!'\n\
         [database]\nurl = 'mysql://me:hunter2@db.example/roll'\n[smtp]\nhost = 'm'\nusername = 'me'\npassword_file = '/nowhere/p'",
    );
    let found = folder.problems(&[]);
    assert_eq!(
        found,
        [
            "rollcall.toml: database.url: must be postgres://user@host/database, or sqlite: and the path of a file",
            "rollcall.toml: auth.token_secret: must hold at least 32 bytes, but holds 5",
            "rollcall.toml: keys.sealing_key: must be 32 bytes in Base64, but has 7",
            "rollcall.toml: keys.index_key: must be 32 bytes in Base64, but is not Base64",
            "rollcall.toml: smtp.password_file: there is no file /nowhere/p",
        ]
    );
}

#[test]
fn a_secret_given_both_ways_is_refused_within_a_layer_and_replaced_by_a_stronger_one() {
    let folder = Folder::new("[auth]\ntoken_secret_file = '/nowhere/token'");
    let config = folder.load(&[("ROLLCALL_AUTH__TOKEN_SECRET", SECRET)], Overrides::default()).unwrap();
    assert_eq!(config.auth.keys.given_secret().unwrap().expose(), SECRET);

    let token = folder.write("token", SECRET);
    let both = format!("[auth]\ntoken_secret = '{SECRET}'\ntoken_secret_file = '{token}'");
    assert_eq!(
        problems(&both, &[]),
        [
            "rollcall.toml: auth.token_secret_file: `token_secret_file` and `token_secret` are both given; keep one of them"
        ]
    );
}

#[test]
fn what_is_printed_masks_every_secret_and_loads_again() {
    let toml = format!(
        "{ACCOUNT}[auth]\ntoken_secret = '{SECRET}'\n[keys]\nsealing_key = '{KEY}'\nindex_key = '{KEY}'\n\
         [database]\nurl = 'postgres://me:hunter2@db.example/roll'\n\
         [smtp]\nhost = 'mail.example'\nusername = 'me'\npassword = 'swordfish'"
    );
    let config = load(&toml, &[]);
    for shown in [config.print(), &format!("{config:?}")] {
        for secret in [SECRET, KEY, "hunter2", "swordfish", "48, 49, 50"] {
            assert!(!shown.contains(secret), "{secret} is shown in {shown}");
        }
    }
    let printed: toml::Table = config.print().parse().unwrap();
    assert_eq!(printed["auth"]["token_secret"].as_str(), Some("***"));
    assert_eq!(printed["database"]["url"].as_str(), Some("postgres://me:***@db.example/roll"));
    assert_eq!(printed["smtp"]["port"].as_integer(), Some(587));
    assert_eq!(printed["server"]["public_url"].as_str(), Some("http://127.0.0.1:8080"));

    let defaults = load(ACCOUNT, &[]);
    assert_eq!(load(defaults.print(), &[]).print(), defaults.print());
}

#[test]
fn a_password_among_the_parameters_of_a_database_url_is_masked() {
    let config = load("[database]\nurl = 'postgres://db.example/roll?user=me&password=hunter2'", &[]);
    assert!(config.print().contains("postgres://db.example/roll?***"), "{}", config.print());
    assert!(!config.print().contains("hunter2"));
}
