//! What the commands say where an identity provider makes the tokens.

use std::fs;

use tempfile::TempDir;

use super::RSA;
use crate::harness::{
    identity_provider::{Answer, IdentityProvider, SigningKey},
    process::{run, run_well},
};

/// A configuration file beside a data folder.
fn write_config(folder: &TempDir, provider: &IdentityProvider) -> String {
    let path = folder.path().join("rollcall.toml");
    let toml = format!(
        "[data]\ndir = '{}'\n[auth]\noidc_issuer = '{}'\naccount = 'demo'\nroles_claim = 'groups'\n\
         role_mapping.viewer = ['staff']\n[accounts.demo]\nname = 'Demo'\nsender = 'a@demo.example'\n\
         directories.hr = {{ kind = 'csv', path = 'hr.csv' }}\n",
        folder.path().join("data").display(),
        provider.issuer()
    );
    fs::write(&path, toml).expect("a file");
    path.display().to_string()
}

/// Runs a command beside the runtime that the provider needs.
async fn run_beside(arguments: Vec<String>) -> (bool, String, String) {
    let output =
        tokio::task::spawn_blocking(move || run(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &[]));
    let output = output.await.expect("a command");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn words(command: &str, file: &str) -> Vec<String> {
    command.split(' ').chain(["--config", file]).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_say_what_checks_tokens_and_that_none_are_made_here() {
    let weak = SigningKey::ec("for-encryption");
    let mut unused = weak.published();
    unused["use"] = "enc".into();
    let provider = IdentityProvider::start(&[]).await;
    provider.answer(Answer::Keys(vec![RSA.published(), unused]));
    let folder = TempDir::new().expect("a folder");
    let file = write_config(&folder, &provider);

    let (worked, told, _) = run_beside(words("config check", &file)).await;
    let expected = format!(
        "Access tokens: RS256, ES256, EdDSA with the keys at {issuer}/.well-known/openid-configuration, read again every 10 min; \
         issuer {issuer}, audience rollcall; account demo, roles from groups by role_mapping, engineer from engineer",
        issuer = provider.issuer()
    );
    assert!(worked && told.contains(&expected), "{told}");
    assert!(told.contains("read without TLS (auth.oidc_issuer), from this machine: for development only"), "{told}");

    let (worked, told, _) = run_beside(words("check tokens", &file)).await;
    assert!(worked && told.contains("  key \"rsa-1\": RS256\n"), "{told}");
    assert!(told.contains("  key \"for-encryption\" is passed over: it is not for checking signatures\n"), "{told}");

    provider.answer(Answer::Text(500, String::new()));
    let (worked, _, problem) = run_beside(words("check tokens", &file)).await;
    assert!(!worked && problem.contains(&format!("{} answers with status 500", provider.jwks_url())), "{problem}");

    let (worked, _, problem) = run_beside(words("token --role VIEWER", &file)).await;
    let why = "tokens come from the identity provider (auth.jwks_url or auth.oidc_issuer), and rollcall makes none";
    assert!(!worked && problem.contains(why), "{problem}");
    let (worked, _, problem) = run_beside(words("serve --demo --listen 127.0.0.1:0", &file)).await;
    assert!(!worked && problem.contains("start it without auth.jwks_url and auth.oidc_issuer"), "{problem}");
    assert!(!folder.path().join("data/token-secret").exists());
}

#[test]
fn without_a_provider_the_secret_is_named() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().display().to_string();
    let told = run_well(&["config", "check", "--demo", "--data", &data], &[]);
    let expected = "Access tokens: HS256 with the secret in the data folder; issuer rollcall, audience rollcall; \
                    account from account, roles from roles, engineer from engineer\n";
    assert!(told.contains(expected), "{told}");
    assert!(run_well(&["check", "tokens", "--demo", "--data", &data], &[]).contains("there is nothing to reach"));
}
