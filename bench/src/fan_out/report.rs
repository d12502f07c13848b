//! What is printed.

use std::fmt;

use crate::process::Which;

/// What is measured.
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// How many subscribers.
    pub clients: u32,
    /// How many distinct queries they have.
    pub queries: u32,
    /// Who takes part.
    pub which: &'static [Which],
}

/// One measurement.
pub struct Round {
    /// Of whom.
    pub which: Which,
    /// Frames that arrived, for each second of the server's processor time.
    pub frames_per_second: f64,
    /// Frames that did not arrive, or not in order.
    pub lost: f64,
    /// Half of the frames arrived within that, counted from when the change was due.
    pub median_millis: f64,
    /// And 99 of 100 within that.
    pub late_millis: f64,
    /// Memory of the server for each subscriber, in KiB.
    pub memory: f64,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:8} {:>8.0} frames per CPU-second, p50 {:.0} ms, p99 {:.0} ms, {:.1} KiB each, lost {}",
            self.which, self.frames_per_second, self.median_millis, self.late_millis, self.memory, self.lost
        )
    }
}

/// Prints how rollcall's median stands beside the others'.
pub fn summarize(rounds: &[Round]) {
    let ours = median(rounds, Which::Ours);
    for other in [Which::Stock, Which::Bare] {
        let theirs = median(rounds, other);
        if theirs > 0.0 {
            println!("  rollcall is at {:.2} times {other}", ours / theirs);
        }
    }
}

fn median(rounds: &[Round], which: Which) -> f64 {
    let mut figures: Vec<f64> =
        rounds.iter().filter(|round| round.which == which).map(|round| round.frames_per_second).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}
