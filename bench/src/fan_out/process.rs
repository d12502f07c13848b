//! Running a server and its clients as processes, each on a core of its own.

use std::{
    env, fmt, fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    str::FromStr,
};

use crate::{
    AnyResult,
    report::{Round, Scenario},
};

/// A server that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// rollcall.
    Ours,
    /// The library's WebSocket service.
    Stock,
    /// axum and nothing else.
    Bare,
}

impl Which {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ours, Self::Stock, Self::Bare];
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ours => "rollcall",
            Self::Stock => "stock",
            Self::Bare => "bare",
        })
    }
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|which| which.to_string() == text).ok_or_else(|| format!("no server {text}"))
    }
}

/// A child process and the lines to and from it. Dropped, it is killed.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(core: &str, arguments: &[&str]) -> AnyResult<Self> {
        let program = env::current_exe()?;
        let mut command = Command::new("taskset");
        command.args(["-c", core]).arg(program).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().ok_or("no input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Self { child, input, output })
    }

    fn read(&mut self) -> AnyResult<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("a process ended early".into());
        }
        Ok(line.trim().to_owned())
    }

    fn write(&mut self, line: &str) -> AnyResult<()> {
        Ok(writeln!(self.input, "{line}")?)
    }

    /// The processor time that it used, in seconds.
    fn processor_time(&self) -> AnyResult<f64> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = text.rsplit_once(')').ok_or("no stat")?;
        let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
        // Linux counts a hundred ticks a second for programs, whatever the kernel does inside.
        Ok(ticks.iter().sum::<f64>() / 100.0)
    }

    /// The memory that it uses, in KiB.
    fn memory(&self) -> AnyResult<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no status")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Measures one server once.
pub fn measure(which: Which, scenario: &Scenario) -> AnyResult<Round> {
    let mut server = Process::start("0", &["server", &which.to_string()])?;
    let line = server.read()?;
    let (address, authorization) = line.split_once(' ').ok_or("no address")?;
    let empty = server.memory()?;
    let (clients, queries) = (scenario.clients.to_string(), scenario.queries.to_string());
    let mut load = Process::start("1", &["clients", address, authorization, &clients, &queries])?;
    load.read()?;
    let memory = (server.memory()? - empty) / f64::from(scenario.clients);
    let before = server.processor_time()?;
    server.write("go")?;
    let begin = server.read()?;
    load.write(&begin)?;
    let seen = load.read()?;
    let used = server.processor_time()? - before;
    let numbers: Vec<f64> = seen.split(' ').flat_map(str::parse).collect();
    let [frames, lost, median, late] = numbers.as_slice() else { return Err(seen.into()) };
    Ok(Round {
        which,
        frames_per_second: frames / used,
        lost: *lost,
        median_millis: median / 1000.0,
        late_millis: late / 1000.0,
        memory,
    })
}
