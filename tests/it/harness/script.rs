//! The programs of `tests/clients`: real GraphQL clients, run against a server. `scripts/ensure-clients` installs what they
//! need.

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Once,
    thread,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

/// How long a follower may take to tell of something on a busy machine, its waits between tries included.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to do when a client is not there.
const INSTALL: &str = "run the tests by `make test`, or run scripts/ensure-clients once";

/// A file of the repository.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Says why tests are left out, around the capture of the test runner.
fn say_skipped(once: &Once, why: &str) {
    once.call_once(|| writeln!(io::stderr().lock(), "\n==== SKIPPED: {why} ====\n").expect("standard error is open"));
}

/// Whether tests with a client of that registry are left out: switched off, or not to be had on this machine. Says so.
fn is_skipped(registry: &str, marker: &str, notice: &Once) -> bool {
    let why = if env::var_os("NO_CLIENTS").is_some_and(|value| value == "1") {
        "NO_CLIENTS=1".to_owned()
    } else if let Ok(why) = fs::read_to_string(file(marker)) {
        why.trim().to_owned()
    } else {
        return false;
    };
    say_skipped(notice, &format!("every test with a GraphQL client of {registry}: {why}"));
    true
}

/// Whether what was installed is what this list asks for.
fn is_installed(list: &str, installed: &str) -> bool {
    fs::read(file(installed)).is_ok_and(|installed| fs::read(file(list)).is_ok_and(|list| list == installed))
}

/// A script for Node.js. `None` where it is skipped.
fn node(script: &str) -> Option<Command> {
    static NOTICE: Once = Once::new();

    if is_skipped("npm", "target/clients-node/skipped", &NOTICE) {
        return None;
    }
    let installed = is_installed("tests/clients/package-lock.json", "tests/clients/node_modules/.installed");
    assert!(installed, "the GraphQL clients of npm are missing, or not those of tests/clients: {INSTALL}");
    let mut command = Command::new("node");
    command.arg(file("tests/clients").join(script));
    Some(command)
}

/// A script for Python. `None` where it is skipped.
fn python(script: &str) -> Option<Command> {
    static NOTICE: Once = Once::new();

    if is_skipped("PyPI", "target/clients-python/skipped", &NOTICE) {
        return None;
    }
    let installed = is_installed("tests/clients/requirements.txt", "target/clients-python/installed");
    assert!(installed, "PyPI's gql is missing, or not that of tests/clients: {INSTALL}");
    let mut command = Command::new("python3");
    command.arg(file("tests/clients").join(script)).env("PYTHONPATH", file("target/clients-python/packages"));
    // No proxy stands between a test and its server.
    command.env("NO_PROXY", "*").env("PYTHONDONTWRITEBYTECODE", "1");
    Some(command)
}

/// Runs a script with a server and a token. It must end well.
pub async fn run(script: &str, address: SocketAddr, token: &str) {
    let command = if script.ends_with(".py") { python(script) } else { node(script) };
    let Some(mut command) = command else { return };
    command.env("SERVER_URL", url(address)).env("SERVER_TOKEN", token).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("a task").expect("the interpreter");
    let (told, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {}\n{told}{failed}", output.status);
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}/graphql")
}

/// A process that follows the status changes with a helper of `examples/clients`. Dropped, it is killed.
pub struct Follower {
    /// Which helper.
    pub helper: &'static str,
    child: Child,
    lines: UnboundedReceiver<Value>,
    /// How often it asked for a token so far.
    pub tokens: usize,
    /// The ids of the changes that it saw so far.
    pub seen: Vec<String>,
}

impl Follower {
    /// Starts one; `token` is the command that prints a new token. `None` where tests with clients are skipped.
    pub fn start(helper: &'static str, address: SocketAddr, token: &str) -> Option<Self> {
        let mut command = node("follow.mjs")?;
        command.arg(helper).env("SERVER_URL", url(address)).env("TOKEN_COMMAND", token);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("node");
        let told = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (sender, lines) = unbounded_channel();
        thread::spawn(move || {
            for line in told.map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{helper} said: {line}"));
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Some(Self { helper, child, lines, tokens: 0, seen: Vec::new() })
    }

    /// Reads on until it tells of something: a `snapshot`, a `change`.
    pub async fn next(&mut self, kind: &str) -> Value {
        let mut others = Vec::new();
        let found = timeout(PATIENCE, self.read_until(kind, &mut others)).await;
        found.unwrap_or_else(|_| panic!("{} told of no {kind} in time, but of {others:#?}", self.helper))
    }

    async fn read_until(&mut self, kind: &str, others: &mut Vec<Value>) -> Value {
        loop {
            let line = self.lines.recv().await;
            let mut line = line.unwrap_or_else(|| panic!("{} ended", self.helper));
            self.tokens += usize::from(line.get("token").is_some());
            if let Some(id) = line["change"]["id"].as_str() {
                self.seen.push(id.to_owned());
            }
            if line.get(kind).is_some() {
                return line[kind].take();
            }
            others.push(line);
        }
    }

    /// Asks it to end, as a page does that is left. It must do so by itself: nothing holds it that was left open.
    pub async fn end(mut self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success(),
            "{} is gone",
            self.helper
        );
        self.next("ended").await;
        let rest = timeout(PATIENCE, self.lines.recv()).await;
        assert_eq!(rest.unwrap_or_else(|_| panic!("{} goes on", self.helper)), None);
        assert!(self.child.wait().expect("waiting").success(), "{} ended ill", self.helper);
    }

    /// Reads on until it saw the change of that id.
    pub async fn reach(&mut self, id: &str) {
        while self.seen.last().is_none_or(|last| last != id) {
            self.next("change").await;
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
