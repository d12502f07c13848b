//! What lies under deploy/: as far as that can be checked without the machines it is for.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::harness::process::{ROLLCALL, run};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs `rollcall config check`.
fn check(config: &str, env: &BTreeMap<String, String>) -> Output {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join(config).display().to_string();
    let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    run(&["config", "check", "--config", &config], &env)
}

fn assert_good(output: &Output) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

/// Whether the binary knows a command with these words.
fn assert_known(words: &[&str]) {
    let words: Vec<_> = words.iter().copied().chain(["--help"]).collect();
    assert_good(&run(&words, &[]));
}

/// What is assigned in lines such as `NAME=value`, or `NAME: value`.
fn assigned(lines: &str, between: &str) -> BTreeMap<String, String> {
    let variable = |line: &str| {
        let (name, value) = line.trim().split_once(between)?;
        name.starts_with("ROLLCALL_").then(|| (name.to_owned(), value.trim().to_owned()))
    };
    lines.lines().filter_map(variable).collect()
}

#[test]
fn the_configuration_and_the_variables_of_the_container_are_good() {
    let mut env = assigned(&read("deploy/compose.yaml"), ": ");
    assert_eq!(env.len(), 2, "{env:?}");
    for value in env.values_mut() {
        *value = value
            .replace("${POSTGRES_PASSWORD:?}", "secret")
            .replace("${PUBLIC_URL:-http://127.0.0.1:8080}", "https://rollcall.example.com");
        assert!(!value.contains('$'), "{value}");
    }
    assert_good(&check("deploy/container.toml", &env));
    env.insert("ROLLCALL_DATABASE__URLL".to_owned(), "x".to_owned());
    assert!(!check("deploy/container.toml", &env).status.success(), "what is wrong is found");
}

#[test]
fn the_image_needs_no_shell_and_no_rights() {
    let file = read("deploy/Dockerfile");
    let version = read("Cargo.toml").lines().find_map(|line| line.strip_prefix("rust-version = ").map(str::to_owned));
    let version = version.expect("a version").trim_matches('"').to_owned();
    assert!(file.contains(&format!("FROM rust:{version}-")), "the compiler is {version}, as in Cargo.toml");
    let (_, last) = file.rsplit_once("\nFROM ").expect("stages");
    assert!(last.starts_with("gcr.io/distroless/"), "{last}");
    let lines = || last.lines().map(str::trim);
    assert!(lines().any(|line| line == "USER nonroot:nonroot"));
    assert!(!lines().any(|line| line.starts_with("RUN ")), "there is no shell");
    let words = |instruction: &str| -> Vec<String> {
        let line = lines().find(|line| line.starts_with(instruction)).unwrap_or_else(|| panic!("no {instruction}"));
        let list = line.split_once('[').map(|(_, list)| format!("[{list}")).expect("a list, which needs no shell");
        serde_json::from_str(&list).expect("a list of texts")
    };
    assert_eq!(words("ENTRYPOINT "), ["/usr/local/bin/rollcall"]);
    let (serve, probe) = (words("CMD "), words("HEALTHCHECK "));
    assert_known(&serve.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(probe[0], "/usr/local/bin/rollcall");
    assert_known(&probe[1..].iter().map(String::as_str).collect::<Vec<_>>());
    for copied in lines().filter_map(|line| line.strip_prefix("COPY deploy/")) {
        read(&format!("deploy/{}", copied.split_whitespace().next().expect("a file")));
    }
}

#[test]
fn the_variables_of_the_unit_are_good_those_that_wait_to_be_wanted_too() {
    let folder = TempDir::new().unwrap();
    let example = read("deploy/rollcall.env.example");
    let unit = read("deploy/rollcall.service").replace("Environment=", "");
    let mut env = assigned(&example, "=");
    env.extend(assigned(&unit, "="));
    assert_eq!(env.remove("ROLLCALL_CONFIG").as_deref(), Some("/etc/rollcall/rollcall.toml"));
    assert!(env.len() > 3, "{env:?}");
    assert_good(&check("examples/rollcall.toml", &env));
    env.extend(assigned(&example.replace("\n#ROLLCALL_", "\nROLLCALL_"), "="));
    for (name, value) in &mut env {
        if name.ends_with("_FILE") {
            let file = folder.path().join(name);
            fs::write(&file, if name.contains("URL") { "postgres://rollcall@127.0.0.1/rollcall" } else { "secret" })
                .unwrap();
            *value = file.display().to_string();
        }
    }
    assert_good(&check("examples/rollcall.toml", &env));
}

#[test]
fn systemd_takes_the_unit_and_finds_it_hardened() {
    let unit = read("deploy/rollcall.service");
    for command in unit.lines().filter_map(|line| line.strip_prefix("ExecStart")) {
        let words: Vec<_> = command.split_whitespace().skip(1).collect();
        assert_known(&words);
    }
    let analyze = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).output();
    if let Err(error) = analyze(&["--version"]) {
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
        writeln!(
            io::stderr().lock(),
            "\n==== SKIPPED: systemd-analyze is not installed, the unit was not verified ====\n"
        )
        .unwrap();
        return;
    }
    // Where the binary is not installed the unit would be refused for that.
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("rollcall.service");
    fs::write(&file, unit.replace("/usr/local/bin/rollcall", ROLLCALL)).unwrap();
    let file = file.display().to_string();
    let verified = analyze(&["verify", "--man=no", &file]).unwrap();
    let told = String::from_utf8_lossy(&verified.stderr);
    let about_it: Vec<_> = told.lines().filter(|line| line.contains("rollcall.service")).collect();
    assert!(verified.status.success() && about_it.is_empty(), "{told}");
    // 10 is a service that may do everything. The threshold is in tenths.
    let exposed = analyze(&["security", "--offline=true", "--threshold=20", &file]).unwrap();
    let told = String::from_utf8_lossy(&exposed.stdout);
    assert!(exposed.status.success(), "{told}{}", String::from_utf8_lossy(&exposed.stderr));
}
