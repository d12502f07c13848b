//! The configuration: layers, refusals, secrets, and the page that documents them.

mod layers;
mod refusals;
mod secrets;
mod values;

use std::fs;

use rollcall::{
    config::{self, Config, ConfigError, Overrides},
    domain::id::AccountId,
};
use tempfile::TempDir;

const ACCOUNT: &str = r#"
[accounts.demo]
name = "Demo Operations Ltd"
sender = "Demo Operations Ltd <rollcall@demo.example>"
contact = "the operations desk"
directories.hr = { kind = "csv", path = "hr.csv" }
"#;

/// A folder with a `rollcall.toml`.
struct Folder(TempDir);

impl Folder {
    fn new(toml: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("rollcall.toml", toml);
        folder
    }

    /// Writes a file and answers with its path.
    fn write(&self, name: &str, content: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn load(&self, env: &[(&str, &str)], overrides: Overrides) -> Result<Config, ConfigError> {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        config::load(None, Some(&self.0.path().join("rollcall.toml")), env, overrides)
    }

    /// The problems, without the folder before the file's name.
    fn problems(&self, env: &[(&str, &str)]) -> Vec<String> {
        let error = self.load(env, Overrides::default()).expect_err("the configuration is accepted");
        let folder = format!("{}/", self.0.path().display());
        error.to_string().lines().map(|line| line.replace(&folder, "")).collect()
    }
}

fn load(toml: &str, env: &[(&str, &str)]) -> Config {
    Folder::new(toml).load(env, Overrides::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn problems(toml: &str, env: &[(&str, &str)]) -> Vec<String> {
    Folder::new(toml).problems(env)
}

fn demo() -> AccountId {
    "demo".parse().unwrap()
}
