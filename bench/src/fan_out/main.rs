//! How fast one change reaches thousands of live streams: rollcall beside its own schema on the WebSocket service of the library
//! (`GraphQLSubscription`, unmodified) and beside a bare axum broadcast of the same frame, in turns.
//!
//!     make bench
//!
//! Each server is a process of its own on the first core, the clients are one on the second. A change is due every 100 ms whether
//! or not the last one has arrived, and latency counts from when it was due.

mod bare;
mod change;
mod clients;
mod ours;
mod process;
mod report;
mod roll;
mod stock;

use std::{env, error::Error};

use self::{
    process::Which,
    report::{Round, Scenario},
};

type AnyResult<T> = Result<T, Box<dyn Error>>;

/// How often each server is measured in a scenario.
const ROUNDS: usize = 3;

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "5,000 subscribers of one query", clients: 5_000, queries: 1, which: &Which::ALL },
    Scenario { name: "10,000 subscribers of one query", clients: 10_000, queries: 1, which: &[Which::Ours] },
    Scenario {
        name: "5,000 subscribers of 1,000 distinct queries",
        clients: 5_000,
        queries: 1_000,
        which: &[Which::Ours, Which::Stock],
    },
];

fn main() -> AnyResult<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => compare(),
        ["server", which] => serve(which.parse()?),
        ["clients", address, authorization, clients, queries] => {
            clients::run(address.parse()?, authorization, clients.parse()?, queries.parse()?)
        }
        _ => Err("fan-out takes no arguments".into()),
    }
}

fn compare() -> AnyResult<()> {
    for scenario in SCENARIOS {
        println!("{}, {} changes a second for {} s", scenario.name, change::PER_SECOND, change::SECONDS);
        let mut rounds: Vec<Round> = Vec::new();
        for _ in 0..ROUNDS {
            for which in scenario.which {
                let round = process::measure(*which, scenario)?;
                println!("  {round}");
                rounds.push(round);
            }
        }
        report::summarize(&rounds);
    }
    Ok(())
}

fn serve(which: Which) -> AnyResult<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        match which {
            Which::Ours => ours::serve().await,
            Which::Stock => stock::serve().await,
            Which::Bare => bare::serve().await,
        }
    })
}
