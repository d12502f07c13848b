//! What is refused, and in which words.

use std::path::Path;

use rollcall::config::{self, Overrides};

use super::{ACCOUNT, load, problems};

#[test]
fn an_unknown_key_is_refused_with_its_place_and_the_nearest_name() {
    let toml = "lisen = 'x'\n[server]\nlistn = 'x'\nzzz = 1\n[accounts.demo]\nsendr = 'x'\n[serverr]\nlisten = 'x'";
    let found = problems(toml, &[]);
    for expected in [
        "rollcall.toml: lisen: there is no such key; did you mean `server.listen`?",
        "rollcall.toml: server.listn: there is no such key; did you mean `server.listen`?",
        "rollcall.toml: server.zzz: there is no such key; known here are allowed_origins, body_timeout_seconds, listen, \
         max_body_bytes, \
         max_import_bytes, public_url, trusted_proxies",
        "rollcall.toml: accounts.demo.sendr: there is no such key; did you mean `accounts.demo.sender`?",
        "rollcall.toml: serverr: there is no such key; did you mean `server`?",
    ] {
        assert!(found.iter().any(|line| line == expected), "no {expected:?} in {found:#?}");
    }
}

#[test]
fn an_unknown_variable_is_refused_with_the_nearest_name() {
    let env = [
        ("ROLLCALL_SERVER_LISTEN", "x"),
        ("ROLLCALL_LISTEN", "x"),
        ("ROLLCALL_ACCOUNTS__DEMO__SENDR", "x"),
        ("ROLLCALL_server__listen", "x"),
        ("ROLLCALL_QQQ", "x"),
    ];
    assert_eq!(
        problems(ACCOUNT, &env),
        [
            "ROLLCALL_ACCOUNTS__DEMO__SENDR: there is no such variable; did you mean ROLLCALL_ACCOUNTS__DEMO__SENDER?",
            "ROLLCALL_LISTEN: there is no such variable; did you mean ROLLCALL_SERVER__LISTEN?",
            "ROLLCALL_QQQ: there is no such variable; `rollcall config docs` lists those there are",
            "ROLLCALL_SERVER_LISTEN: there is no such variable; did you mean ROLLCALL_SERVER__LISTEN?",
            "ROLLCALL_server__listen: there is no such variable; did you mean ROLLCALL_SERVER__LISTEN?",
        ]
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_its_place() {
    let toml = "data = 1\n[server]\nlisten = 8080\nmax_body_bytes = '64k'\nallowed_origins = 'https://a.example'\n\
                [smtp]\nhost = 'mail'\ntls = 'startls'\nport = 70000\npassword = 12345\n[log]\nformat = true";
    let env = [("ROLLCALL_WORKER__POLL_MILLISECONDS", "often"), ("ROLLCALL_RETENTION__EVENT_DAYS", "0")];
    assert_eq!(
        problems(toml, &env),
        [
            "rollcall.toml: data: is a section and is written [data]",
            "rollcall.toml: log.format: must be \"text\" or \"json\", but is true",
            "rollcall.toml: server.allowed_origins: must be a list of texts such as [\"one\", \"two\"], but is \
             \"https://a.example\"",
            "rollcall.toml: server.listen: must be text in quotes, but is 8080",
            "rollcall.toml: server.max_body_bytes: must be a whole number from 1024 to 16777216, but is \"64k\"",
            "rollcall.toml: smtp.password: must be text in quotes, but is a whole number",
            "rollcall.toml: smtp.port: must be a whole number from 1 to 65535, but is 70000",
            "rollcall.toml: smtp.tls: must be \"starttls\" or \"tls\" or \"none\", but is \"startls\"; did you mean \
             \"starttls\"?",
            "ROLLCALL_RETENTION__EVENT_DAYS: must be a whole number from 1 to 3650, but is 0",
            "ROLLCALL_WORKER__POLL_MILLISECONDS: must be a whole number from 10 to 60000, but is \"often\"",
        ]
    );
}

#[test]
fn every_problem_is_listed_once() {
    let toml = "[server]\nlisten = 'localhost'\npublic_url = 'https://a.example/?x=1'\n\
                allowed_origins = ['https://a.example', 'https://a.example', 'https://b.example/', '*']\n\
                trusted_proxies = ['10.0.0.0/8', '10.0.0.0/8', '10.1.2.3/8', '0.0.0.0/0', 'proxy.example', '10.0.0.1:80']\n\
                [retention]\nevent_days = 500\nsync_days = 40\n[log]\nfilter = 'info=loud'\n[smtp]\nusername = 'me'\n\
                [accounts.Demo]\nname = ' '\nsender = 'nobody'\nreply_to = 'a@b@c'\ntime_zone = 'Asia/Shangai'\n\
                default_country_code = 'XX'\nprivacy_notice = ''\n\
                directories.hr = { kind = 'ldap', path = 'x' }\ndirectories.'h r' = { kind = 'csv' }\n\
                [accounts.empty]\nname = 'Empty'\nsender = 'a@b.example'\ncontact = 'desk'";
    let unit = "must be 1 to 64 of a-z, 0-9, - and _, and begin with a letter or digit";
    let mut found = problems(toml, &[]);
    found.sort();
    let mut expected = vec![
        "rollcall.toml: server.listen: \"localhost\" is no address and port such as 127.0.0.1:8080 or [::]:8080".to_owned(),
        "rollcall.toml: server.public_url: must have no query, no fragment and no user, only a host and perhaps a port and a path"
            .to_owned(),
        "rollcall.toml: server.allowed_origins: \"https://a.example\" is there twice; \"https://b.example/\" is not as browsers \
         send it; write \"https://b.example\"; \"*\" is no origin such as https://console.example.com or http://localhost:*"
            .to_owned(),
        "rollcall.toml: server.trusted_proxies: \"10.0.0.0/8\" is there twice; \"10.1.2.3/8\" does not begin where its network \
         does; write \"10.0.0.0/8\"; \"0.0.0.0/0\" would believe everybody, so that a client could pass for any other; \
         \"proxy.example\" is no address or network such as 10.0.0.5, 10.0.0.0/8 or fd00::/8; \"10.0.0.1:80\" is no address or \
         network such as 10.0.0.5, 10.0.0.0/8 or fd00::/8"
            .to_owned(),
        "retention.history_days: must not be shorter than retention.event_days, which is 500".to_owned(),
        "rollcall.toml: retention.sync_days: must not be shorter than retention.event_days, which is 500".to_owned(),
        "rollcall.toml: log.filter: \"loud\" is no level: they are off, error, warn, info, debug, trace".to_owned(),
        "rollcall.toml: smtp.username: needs smtp.password or smtp.password_file beside it".to_owned(),
        "smtp.host: must be given: The server's host name.".to_owned(),
        format!("rollcall.toml: accounts.Demo: \"Demo\" {unit}"),
        "rollcall.toml: accounts.Demo.name: must not be blank".to_owned(),
        "rollcall.toml: accounts.Demo.sender: \"nobody\" is no mail address such as oncall@example.com or Demo Ltd \
         <oncall@example.com>"
            .to_owned(),
        "rollcall.toml: accounts.Demo.reply_to: \"a@b@c\" is no mail address such as oncall@example.com or Demo Ltd \
         <oncall@example.com>"
            .to_owned(),
        "rollcall.toml: accounts.Demo.privacy_notice: must not be blank".to_owned(),
        "rollcall.toml: accounts.Demo.time_zone: \"Asia/Shangai\" is no time zone such as Asia/Shanghai; did you mean \
         \"Asia/Shanghai\"?"
            .to_owned(),
        "rollcall.toml: accounts.Demo.default_country_code: \"XX\" is not a country code of two capital letters, such as CN"
            .to_owned(),
        "rollcall.toml: accounts.Demo.directories.hr.kind: must be \"csv\", but is \"ldap\"".to_owned(),
        format!("rollcall.toml: accounts.Demo.directories.h r: \"h r\" {unit}"),
        "accounts.Demo.directories.h r.path: must be given: The CSV file. A relative path begins at the working directory."
            .to_owned(),
    ];
    let needed = "accounts.empty.directories: must be given: ";
    assert!(found.iter().any(|line| line.starts_with(needed)), "no directory is fine? {found:#?}");
    found.retain(|line| !line.starts_with(needed));
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_file_that_cannot_be_read_says_why_and_shows_no_line_of_it() {
    let found = problems("[auth]\ntoken_secret = hunter2-hunter2\n", &[]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("rollcall.toml: line 2, column 16: is not valid TOML: "), "{}", found[0]);
    assert!(!found[0].contains("hunter2"), "{}", found[0]);

    let missing = config::load(None, Some(Path::new("/nowhere/rollcall.toml")), [], Overrides::default()).unwrap_err();
    assert_eq!(missing.to_string(), "/nowhere/rollcall.toml: there is no file /nowhere/rollcall.toml");
}

#[test]
fn an_unreadable_base_does_not_hide_an_unreadable_file() {
    let error =
        config::load(Some("a = = 1"), Some(Path::new("/nowhere/roll.toml")), [], Overrides::default()).unwrap_err();
    assert_eq!(error.problems.len(), 2, "{error}");
    assert!(error.problems[0].place.starts_with("built-in demo settings: line 1"), "{error}");
}

#[test]
fn a_key_that_is_wrong_in_two_layers_is_reported_for_both() {
    let found = problems("[smtp]\nhost = 1\nport = 0", &[("ROLLCALL_SMTP__PORT", "smtp")]);
    assert_eq!(
        found,
        [
            "rollcall.toml: smtp.host: must be text in quotes, but is 1",
            "rollcall.toml: smtp.port: must be a whole number from 1 to 65535, but is 0",
            "ROLLCALL_SMTP__PORT: must be a whole number from 1 to 65535, but is \"smtp\"",
        ]
    );
}

#[test]
fn a_log_filter_that_would_log_nothing_of_what_was_meant_is_refused() {
    let levels = "they are off, error, warn, info, debug, trace";
    let example = "write levels such as info or info,rollcall::worker=debug";
    for (filter, problem) in [
        ("inof", format!("\"inof\" is no level: {levels}; did you mean \"info\"?")),
        ("nonsense!!", format!("\"nonsense!!\" is no level: {levels}")),
        ("info,rollcall", format!("\"rollcall\" is no level: {levels}")),
        ("info,", format!("\"\" is no level: {levels}")),
        ("rollcall=verbose", format!("\"verbose\" is no level: {levels}")),
        ("info,rolcall::worker=debug", "there is no module \"rolcall\"; did you mean \"rollcall\"?".to_owned()),
        ("=debug", format!("\"\" in \"=debug\" is no module; {example}")),
        ("rollcall:worker=debug", format!("\"rollcall:worker\" in \"rollcall:worker=debug\" is no module; {example}")),
        ("info,rollcall[x=debug", format!("\"info,rollcall[x=debug\" is no filter; {example}")),
        (" ", format!("must not be blank; {example}")),
    ] {
        let found = problems(&format!("[log]\nfilter = '{filter}'"), &[]);
        assert_eq!(found, [format!("rollcall.toml: log.filter: {problem}")]);
        assert_eq!(problems("", &[("ROLLCALL_LOG__FILTER", filter)]), [format!("ROLLCALL_LOG__FILTER: {problem}")]);
    }
    for filter in
        ["off", "WARN", "info,rollcall::worker=debug", "info,hyper=warn", "rollcall[{worker=\"prune\"}]=trace"]
    {
        assert_eq!(load("", &[("ROLLCALL_LOG__FILTER", filter)]).log.filter, filter);
    }
}
