//! How often something may happen: a steady rate, and a burst above it.

use std::{collections::HashMap, num::NonZeroU32, time::Duration};

/// How many can be taken in a while, and how many at once by who took none for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The time in which one comes in.
    interval: Duration,
    burst: u32,
}

impl Rate {
    /// `count` in every `period`, and `burst` at once, or `count` where that is more.
    pub fn new(count: NonZeroU32, period: Duration, burst: u32) -> Self {
        Self { interval: period / count.get(), burst: burst.max(count.get()) }
    }

    /// How long it takes until all that can be taken at once is there again.
    pub fn refill(&self) -> Duration {
        self.interval.saturating_mul(self.burst)
    }
}

/// What one may still take. Times are those of a clock that never goes back.
///
/// All that is kept is the moment at which it will be full again (the "generic cell rate algorithm" of ATM, I.371): each that is
/// taken moves it by the time in which one comes in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    full_at: Duration,
}

impl Bucket {
    /// How long to wait until one can be taken; zero for not at all.
    pub fn find_wait(self, rate: Rate, now: Duration) -> Duration {
        let full_at = self.full_at.max(now) + rate.interval;
        full_at.saturating_sub(now + rate.refill())
    }

    /// Takes one, whether or not it is there.
    pub fn take(&mut self, rate: Rate, now: Duration) {
        self.full_at = self.full_at.max(now) + rate.interval;
    }
}

/// The buckets of many, of which only so many are remembered: who took none for long is forgotten, and has a full one anyway. Where
/// there are more, those who were quiet for longest are forgotten first.
///
/// Each key is a hash of who it is for, so that a key takes little room and says nothing of them.
#[derive(Debug)]
pub struct Buckets {
    rate: Rate,
    /// Those used since the last turn.
    young: HashMap<u64, Bucket>,
    /// Those used between the turn before and the last one, and not since.
    old: HashMap<u64, Bucket>,
    turned_at: Duration,
    most: usize,
}

impl Buckets {
    /// No buckets yet. About `most` are remembered.
    pub fn new(rate: Rate, most: usize) -> Self {
        Self { rate, young: HashMap::new(), old: HashMap::new(), turned_at: Duration::ZERO, most }
    }

    /// How long to wait until one can be taken; zero for not at all. Who asks is not quiet.
    pub fn find_wait(&mut self, key: u64, now: Duration) -> Duration {
        self.turn(now);
        if let Some(kept) = self.old.remove(&key) {
            self.young.insert(key, kept);
        }
        self.young.get(&key).copied().unwrap_or_default().find_wait(self.rate, now)
    }

    /// Takes one, whether or not it is there.
    pub fn take(&mut self, key: u64, now: Duration) {
        self.turn(now);
        let kept = self.old.remove(&key);
        self.young.entry(key).or_insert_with(|| kept.unwrap_or_default()).take(self.rate, now);
    }

    /// How many are remembered.
    pub fn remembered(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Forgets those who were not used since the turn before: by time they are full, by number they were quiet for longest.
    fn turn(&mut self, now: Duration) {
        let in_time = now.saturating_sub(self.turned_at) >= self.rate.refill();
        if in_time || self.young.len() >= self.most.div_ceil(2) {
            self.old = std::mem::take(&mut self.young);
            self.turned_at = now;
        }
    }
}
