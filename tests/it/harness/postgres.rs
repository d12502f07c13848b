//! A throw-away PostgreSQL for the tests: one cluster for each test process, made from the installed programs on first
//! use, and one empty database for each test that asks.
//!
//! The cluster belongs to a shell that waits for the end of its standard input. This process holds the other end of that
//! pipe for as long as it lives; however it ends, even by `kill -9`, the system closes the pipe and the shell stops the
//! server and removes its files.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Once, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// The superuser of the cluster. The name is the same on every machine, whoever owns the processes.
const USER: &str = "rollcall";

/// How many ports are offered to the server: another process may take one between our look and its start.
const PORTS_OFFERED: usize = 5;

/// The whole life of a cluster. It prints `ready PORT DIRECTORY` or, when the start fails, the log; it ends well when the
/// server stopped.
///
/// Durability is off, since nobody reads these files again; `fsync=off` loses nothing when only a client is killed.
const KEEPER: &str = r#"
exec 2>&1
trap '' PIPE  # the tests may be gone when "ready" is printed
dir=$(mktemp -d "${TMPDIR:-/tmp}/rollcall-pg-XXXXXX" || mktemp -d /tmp/rollcall-pg-XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
"$PG_BIN/initdb" --pgdata="$dir/data" --username="$PG_SUPERUSER" --auth-local=reject --auth-host=trust \
    --encoding=UTF8 --locale="$PG_LOCALE" --lc-messages=C --no-sync >"$dir/log" || { cat "$dir/log"; exit 1; }
cat >>"$dir/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_buffers = 64MB
max_wal_size = 256MB
wal_level = minimal
max_wal_senders = 0
max_parallel_workers_per_gather = 0
fsync = off
full_page_writes = off
autovacuum = off
jit = off
END
for port in $PG_PORTS; do
    if "$PG_BIN/pg_ctl" start --wait --pgdata="$dir/data" --log="$dir/log" --options="-p $port" >/dev/null; then
        echo "ready $port $dir"
        cat >/dev/null
        "$PG_BIN/pg_ctl" stop --wait --pgdata="$dir/data" --mode=immediate >/dev/null
        exit
    fi
done
cat "$dir/log"
exit 1
"#;

/// Makes a new, empty database and returns its URL, `postgres://rollcall@127.0.0.1:PORT/NAME`.
///
/// `None` only when `NO_POSTGRES=1` is set, which says so once on standard error. Blocks until the database is there.
///
/// # Panics
///
/// When PostgreSQL is not installed or does not start; the message says what to do.
pub fn fresh_database() -> Option<String> {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(1);

    if is_unwanted() {
        return None;
    }
    let cluster = CLUSTER.get_or_init(Cluster::start);
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    // Nobody can be connected to template0, so that tests may do this at the same time.
    cluster.query("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
    Some(cluster.url(&name))
}

/// A cluster of the test's own, which may be restarted under its clients. Dropped, it ends.
pub struct OwnCluster(Cluster);

impl OwnCluster {
    /// Starts one; `None` where there is to be none. Blocks until it answers.
    pub fn start() -> Option<Self> {
        (!is_unwanted()).then(|| Self(Cluster::start()))
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        self.0.url("postgres")
    }

    /// Restarts it: `fast` ends the connections and shuts down well, `immediate` is a crash. Blocks until it answers again.
    pub fn restart(&self, mode: &str) {
        let Cluster { programs, directory, .. } = &self.0;
        let (program, directory) = (programs.join("pg_ctl"), directory.display());
        let script = format!(
            "\"{}\" restart --wait --mode={mode} --pgdata=\"{directory}/data\" --log=\"{directory}/log\" >/dev/null 2>&1",
            program.display()
        );
        let mut shell = shell_of_an_ordinary_user(&script);
        shell.env("LC_ALL", "C").current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(shell.status().expect("a shell").success(), "{mode}: PostgreSQL did not start again");
    }

    /// Ends every other connection, as an administrator may.
    pub fn end_connections(&self) {
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        self.0.query("postgres", others);
    }
}

impl Drop for OwnCluster {
    fn drop(&mut self) {
        drop(self.0.keeper.stdin.take());
        let _ = self.0.keeper.wait();
    }
}

/// Whether the PostgreSQL half is switched off. The notice goes around the capture of the test runner.
fn is_unwanted() -> bool {
    static NOTICE: Once = Once::new();

    let unwanted = env::var_os("NO_POSTGRES").is_some_and(|value| value == "1");
    if unwanted {
        NOTICE.call_once(|| {
            let line = "==== NO_POSTGRES=1: SKIPPED every test on PostgreSQL; only the SQLite half runs ====";
            writeln!(io::stderr().lock(), "\n{line}\n").expect("standard error is open");
        });
    }
    unwanted
}

/// A running cluster.
struct Cluster {
    programs: PathBuf,
    port: u16,
    directory: PathBuf,
    /// The shell; closing its standard input ends the cluster.
    keeper: Child,
}

impl Cluster {
    fn start() -> Self {
        let programs = find_programs().expect(
            "the tests need the programs of a PostgreSQL server (initdb, pg_ctl, postgres, psql): install the package \
             `postgresql` (Debian, Ubuntu: apt-get install postgresql), or set NO_POSTGRES=1 to skip these tests",
        );
        let mut keeper = shell_of_an_ordinary_user(KEEPER)
            .env("LC_ALL", "C")
            .env("PG_BIN", &programs)
            .env("PG_SUPERUSER", USER)
            .env("PG_LOCALE", choose_locale())
            .env("PG_PORTS", find_free_ports().join(" "))
            .current_dir("/")
            // An interrupt typed at the terminal ends the tests; the shell must live on to clean up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");

        let output = BufReader::new(keeper.stdout.take().expect("standard output is a pipe"));
        let mut log = String::new();
        for line in output.lines().map(|line| line.expect("the shell writes UTF-8")) {
            if let Some((port, directory)) = line.strip_prefix("ready ").and_then(|rest| rest.split_once(' ')) {
                let port = port.parse().expect("a port");
                return Self { programs, port, directory: directory.into(), keeper };
            }
            log += &format!("{line}\n");
        }
        let status = keeper.wait().expect("the shell ends");
        panic!("PostgreSQL in {} did not start ({status}):\n{log}", programs.display());
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs one statement and returns what it printed, unaligned.
    fn query(&self, database: &str, statement: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command", statement]);
        let output = psql.arg(self.url(database)).stdin(Stdio::null()).output().expect("psql runs");
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }
}

/// The directory of the server's programs: of `initdb` on the PATH, else by `pg_config`, else Debian's newest.
fn find_programs() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Through links, since a linked initdb may stand there alone.
    let on_path = env::split_paths(&path)
        .filter_map(|directory| directory.join("initdb").canonicalize().ok())
        .filter_map(|program| program.parent().map(Path::to_path_buf));
    let configured = run("pg_config", &["--bindir"]).map(PathBuf::from);
    on_path.chain(configured).chain(debian_directories()).find(|directory| {
        ["initdb", "pg_ctl", "postgres", "psql"].iter().all(|program| directory.join(program).is_file())
    })
}

/// `/usr/lib/postgresql/VERSION/bin`, the highest version first. Debian keeps these off the PATH.
fn debian_directories() -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<u32> =
        entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok())).collect();
    versions.sort_unstable();
    versions.into_iter().rev().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")))
}

/// `C.UTF-8` where the system has it; `C` sorts the same but knows the case of ASCII letters only.
fn choose_locale() -> &'static str {
    let locales = run("locale", &["-a"]).unwrap_or_default();
    let has_utf8 = locales.lines().any(|name| ["c.utf8", "c.utf-8"].contains(&name.to_ascii_lowercase().as_str()));
    if has_utf8 { "C.UTF-8" } else { "C" }
}

/// Different loopback ports that are free now.
fn find_free_ports() -> Vec<String> {
    // All are held until all are known, or the system would hand out one twice.
    let held: Vec<TcpListener> =
        (0..PORTS_OFFERED).map(|_| TcpListener::bind(("127.0.0.1", 0)).expect("a free loopback port")).collect();
    held.iter().map(|listener| listener.local_addr().expect("a bound socket").port().to_string()).collect()
}

/// `sh -c script`, as another user where this process is root: initdb and postgres refuse root.
fn shell_of_an_ordinary_user(script: &str) -> Command {
    if run("id", &["-u"]).as_deref() != Some("0") {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        return shell;
    }
    let user = ["postgres", "nobody"].into_iter().find(|user| run("id", &["-u", user]).is_some());
    let user = user.expect("root needs a user `postgres` or `nobody` to run PostgreSQL as");
    ["setpriv", "runuser", "su"]
        .into_iter()
        .find(|tool| shell_by(tool, user, "true").output().is_ok_and(|output| output.status.success()))
        .map(|tool| shell_by(tool, user, script))
        .expect("root needs setpriv, runuser or su to run PostgreSQL as another user")
}

/// `sh -c script` as `user`, by one of the tools that change the user.
fn shell_by(tool: &str, user: &str, script: &str) -> Command {
    let mut shell = Command::new(tool);
    if tool == "setpriv" {
        let group = run("id", &["-g", user]).unwrap_or_default();
        shell.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups", "sh", "-c", script]);
    } else {
        shell.args(["-s", "/bin/sh", "-c", script, user]);
    }
    shell
}

/// What a program printed, trimmed; `None` when it is missing or fails.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[test]
fn two_fresh_databases_differ_and_both_answer() {
    let Some(first) = fresh_database() else { return };
    let second = fresh_database().expect("the second comes as the first did");
    assert_ne!(first, second);

    let programs = find_programs().expect("the cluster runs");
    for url in [first, second] {
        let psql = programs.join("psql");
        let answer = run(psql.to_str().expect("a UTF-8 path"), &["-AtX", "-c", "SELECT current_database()", &url]);
        assert_eq!(answer.as_deref(), url.rsplit('/').next());
    }
}

#[test]
fn a_cluster_ends_and_leaves_no_file_when_the_pipe_to_its_keeper_closes() {
    if is_unwanted() {
        return;
    }
    let mut cluster = Cluster::start();
    assert_eq!(cluster.query("postgres", "SELECT 1"), "1");
    assert!(cluster.directory.exists());

    drop(cluster.keeper.stdin.take());
    let stopped = cluster.keeper.wait().expect("the keeper ends");
    assert!(stopped.success(), "the server did not stop");
    assert!(!cluster.directory.exists());
}
