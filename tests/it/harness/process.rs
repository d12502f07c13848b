//! The real binary as a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
};

use reqwest::Client;
use serde_json::{Value, json};

/// The binary.
pub const ROLLCALL: &str = env!("CARGO_BIN_EXE_rollcall");

/// Runs a command to its end.
pub fn run(arguments: &[&str], env: &[(&str, &str)]) -> Output {
    command(arguments, env).output().expect("the binary")
}

/// Runs a command that must succeed. Gives its standard output.
pub fn run_well(arguments: &[&str], env: &[(&str, &str)]) -> String {
    let output = run(arguments, env);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Starts a command that runs beside the test.
pub fn start(arguments: &[&str], env: &[(&str, &str)]) -> Child {
    command(arguments, env).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary")
}

fn command(arguments: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(ROLLCALL);
    command.args(arguments).envs(env.iter().copied()).stdin(Stdio::null());
    // Tests ask much.
    command.env("ROLLCALL_RATE_LIMITS__ENABLED", "false");
    // No configuration file of the folder that the tests run in.
    command.current_dir(std::env::temp_dir());
    command
}

/// A port that was free a moment ago.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// An address for a server that is started there again and again: free a moment ago, and of a port that the system gives
/// to nobody by itself, neither to a listener nor to a connection, while the server is down.
pub fn stable_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);

    // Linux gives out ports from 32,768. Two test processes begin at different ones.
    let begin = u16::try_from(std::process::id() % 100).expect("below 100") * 100;
    (0..10_000)
        .map(|_| SocketAddr::from(([127, 0, 0, 1], 20_000 + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000)))
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("a free port")
}

/// The command by which a shell gets a token of the demonstration's account.
pub fn token_command(data: &Path, role: &str, ttl: &str) -> String {
    format!("'{ROLLCALL}' token --data '{}' --account demo --role {role} --ttl {ttl}", data.display())
}

/// A demonstration server. Dropped, it is killed.
pub struct ServerProcess {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    token: String,
    http: Client,
}

impl ServerProcess {
    /// Starts a server and waits until it says that it is ready.
    pub fn start(data: &Path, env: &[(&str, &str)]) -> Self {
        Self::start_at(free_address(), data, env)
    }

    /// The same at this address, so that a server that was killed comes back where its clients look for it.
    pub fn start_at(address: SocketAddr, data: &Path, env: &[(&str, &str)]) -> Self {
        Self::start_with(address, data, env, &[], Stdio::null())
    }

    /// The same by a shell that does something first.
    pub fn start_after(first: &str, data: &Path) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{first}; exec \"$0\" \"$@\""), ROLLCALL, "serve"]);
        shell.stdin(Stdio::null()).current_dir(std::env::temp_dir());
        Self::launch(free_address(), shell, data, &[], Stdio::null())
    }

    /// The same with more arguments, and with its log in a file.
    pub fn start_logging(data: &Path, env: &[(&str, &str)], more: &[&str], log: &Path) -> Self {
        let log = std::fs::File::create(log).expect("a file for the log");
        Self::start_with(free_address(), data, env, more, log.into())
    }

    fn start_with(address: SocketAddr, data: &Path, env: &[(&str, &str)], more: &[&str], log: Stdio) -> Self {
        let mut command = command(&["serve"], env);
        command.args(more);
        Self::launch(address, command, data, env, log)
    }

    fn launch(address: SocketAddr, mut command: Command, data: &Path, env: &[(&str, &str)], log: Stdio) -> Self {
        let (data, listen) = (data.display().to_string(), address.to_string());
        command.args(["--demo", "--migrate", "--listen", &listen, "--data", &data]);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the binary");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains("is ready at"));
        assert!(ready, "the server did not start");
        // What it prints later must have somewhere to go.
        thread::spawn(move || lines.for_each(drop));
        let token = run_well(&["token", "--data", &data, "--account", "demo", "--role", "ADMIN", "--ttl", "1h"], env);
        Self { child, address, token: token.trim().to_owned(), http: Client::new() }
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().expect("killing");
        self.child.wait().expect("waiting");
    }

    /// The same while others use it; to be followed by [`Self::kill`], which waits.
    pub fn kill_beside(&self) {
        self.signal("-KILL");
    }

    /// Stops it where it is, as a machine that stands still does.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let told = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill");
        assert!(told.success(), "it runs");
    }

    /// Asks it to end, as `kill` does, and waits. Tells whether it ended well.
    pub fn terminate(&mut self) -> bool {
        self.ask_to_end();
        self.wait() == Some(0)
    }

    /// Asks it to end, as `kill` does.
    pub fn ask_to_end(&self) {
        self.signal("-TERM");
    }

    /// Waits for its end. Tells what it ended with; `None` where a signal ended it.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("waiting").code()
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The token of an administrator.
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Runs an operation; `None` where no answer came.
    pub async fn try_execute(&self, query: &str, variables: Value) -> Option<Value> {
        let request = self
            .http
            .post(format!("http://{}/graphql", self.address))
            .header("authorization", self.authorization())
            .json(&json!({ "query": query, "variables": variables }));
        request.send().await.ok()?.json().await.ok()
    }

    /// Runs an operation that must succeed. Gives its data.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let response = self.try_execute(query, variables).await.expect("an answer");
        assert!(response.get("errors").is_none(), "{response:#}");
        response["data"].clone()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
