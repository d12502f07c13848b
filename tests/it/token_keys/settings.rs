//! What the configuration refuses.

use rollcall::config::{self, ConfigError, Overrides};

const ACCOUNT: &str = "[accounts.demo]\nname = 'Demo'\nsender = 'a@demo.example'\ncontact = 'desk'\n\
    directories.hr = { kind = 'csv', path = 'hr.csv' }\n";

fn problems(auth: &str) -> Vec<String> {
    let base = format!("{ACCOUNT}[auth]\n{auth}");
    let loaded = config::load(Some(&base), None, [], Overrides::default());
    let problems = loaded.map_or_else(|ConfigError { problems }| problems, |_| Vec::new());
    problems
        .into_iter()
        .map(|one| format!("{}: {}", one.place.rsplit(": ").next().unwrap_or_default(), one.message))
        .collect()
}

/// A good beginning.
const SET: &str = "jwks_url = 'https://id.example/keys'\nissuer = 'https://id.example'\n";

#[test]
fn good_settings_of_a_provider_are_taken() {
    for good in [
        SET.to_owned(),
        "oidc_issuer = 'https://id.example/realms/ops'".to_owned(),
        "oidc_issuer = 'https://id.example/'\nissuer = 'https://id.example/'".to_owned(),
        "jwks_url = 'http://127.0.0.1:8080/keys'\nissuer = 'x'".to_owned(),
        "jwks_url = 'http://[::1]:8080/keys'\nissuer = 'x'".to_owned(),
        "jwks_url = 'http://localhost/keys?x=1'\nissuer = 'x'".to_owned(),
        format!("{SET}account = 'demo'\nengineer_directory = 'hr'\nrole_mapping.admin = ['boss']"),
    ] {
        assert_eq!(problems(&good), [] as [&str; 0], "{good}");
    }
}

#[test]
fn a_place_of_keys_that_could_be_tampered_with_is_refused() {
    for url in ["http://id.example/keys", "http://127.0.0.1.example/keys", "ftp://id.example", "keys.json", "https://"]
    {
        let found = problems(&format!("jwks_url = '{url}'\nissuer = 'x'"));
        let expected = format!(
            "auth.jwks_url: \"{url}\" is no https URL; plain http is allowed only to this machine, for development"
        );
        assert_eq!(found, [expected]);
    }
    let found = problems("jwks_url = 'https://me:secret@id.example/keys'\nissuer = 'x'");
    assert_eq!(found, ["auth.jwks_url: must have no user and no fragment"]);
    let found = problems("oidc_issuer = 'https://id.example/?realm=1'");
    assert_eq!(found, ["auth.oidc_issuer: must have no query"]);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let secret = "0123456789abcdef0123456789abcdef";
    let beside =
        "cannot stand beside an identity provider (auth.jwks_url or auth.oidc_issuer): one of them checks all tokens";
    let cases = [
        (format!("{SET}token_secret = '{secret}'"), format!("auth.token_secret: {beside}")),
        (format!("{SET}previous_token_secret = '{secret}'"), format!("auth.previous_token_secret: {beside}")),
        (
            format!("{SET}oidc_issuer = 'https://id.example'"),
            "auth.jwks_url: cannot stand beside auth.oidc_issuer; keep one of them".to_owned(),
        ),
        (
            "jwks_url = 'https://id.example/keys'".to_owned(),
            "auth.issuer: must be given beside auth.jwks_url: the `iss` of the provider's tokens".to_owned(),
        ),
        (
            "oidc_issuer = 'https://id.example'\nissuer = 'https://id.example/'".to_owned(),
            "auth.issuer: must be the same as auth.oidc_issuer, or left out".to_owned(),
        ),
        (
            "algorithms = ['RS256']".to_owned(),
            "auth.algorithms: is for an identity provider (auth.jwks_url or auth.oidc_issuer); secrets sign with HS256"
                .to_owned(),
        ),
        (
            format!("{SET}algorithms = ['RS256', 'HS256']"),
            "auth.algorithms: must be of RS256, ES256, EdDSA, but has \"HS256\"".to_owned(),
        ),
        (format!("{SET}algorithms = []"), "auth.algorithms: must name at least one algorithm".to_owned()),
        (
            "account = 'demo'\naccount_claim = 'tenant'".to_owned(),
            "auth.account: cannot stand beside auth.account_claim; keep one of them".to_owned(),
        ),
        (
            "account = 'nobody'".to_owned(),
            "auth.account: there is no account \"nobody\" in this configuration".to_owned(),
        ),
        (
            "engineer_directory = 'ldap'".to_owned(),
            "auth.engineer_directory: no account has a directory \"ldap\"".to_owned(),
        ),
        ("role_mapping = {}".to_owned(), {
            "auth.role_mapping: must name at least one role, such as viewer = [\"staff\"]".to_owned()
        }),
        (
            format!("token_secret = '{secret}'\nprevious_token_secret = '{secret}'"),
            "auth.previous_token_secret: must be another secret than auth.token_secret".to_owned(),
        ),
        (
            "previous_token_secret = 'short'".to_owned(),
            "auth.previous_token_secret: must hold at least 32 bytes, but holds 5".to_owned(),
        ),
    ];
    for (auth, expected) in cases {
        assert_eq!(problems(&auth), [expected], "{auth}");
    }
}
