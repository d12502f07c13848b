//! How often a caller may ask.

use std::{num::NonZeroU32, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::rate::Rate;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// How often a caller may ask, in each process. What is more is refused with `RATE_LIMITED`, which says when to try again. A rate
/// of 0 is no limit.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RateLimitsSection {
    /// Whether there are limits at all.
    enabled: bool,
    /// How many operations a subject may begin in a second: queries, mutations and live streams.
    #[schemars(range(max = 1_000_000))]
    subject_per_second: u32,
    /// How many a subject may begin at once after a quiet time.
    #[schemars(range(max = 10_000_000))]
    subject_burst: u32,
    /// How many of them may be mutations, in a second.
    #[schemars(range(max = 1_000_000))]
    mutations_per_second: u32,
    /// How many mutations a subject may send at once after a quiet time.
    #[schemars(range(max = 10_000_000))]
    mutations_burst: u32,
    /// How many operations all subjects of an account together may begin in a second.
    #[schemars(range(max = 1_000_000))]
    account_per_second: u32,
    /// How many they may begin at once after a quiet time, such as when all dashboards connect again.
    #[schemars(range(max = 10_000_000))]
    account_burst: u32,
    /// How many bad tokens an address may send in a minute. Good ones are taken from it all the same.
    #[schemars(range(max = 1_000_000))]
    bad_tokens_per_minute: u32,
    /// How many bad tokens it may send at once.
    #[schemars(range(max = 10_000_000))]
    bad_tokens_burst: u32,
    /// How many confirmation links that lead nowhere an address may open in a minute, and at once. Then it opens none for a while.
    #[schemars(range(max = 1_000_000))]
    wrong_links_per_minute: u32,
}

impl Default for RateLimitsSection {
    fn default() -> Self {
        Self {
            enabled: true,
            subject_per_second: 50,
            subject_burst: 200,
            mutations_per_second: 20,
            mutations_burst: 100,
            account_per_second: 2_000,
            account_burst: 20_000,
            bad_tokens_per_minute: 60,
            bad_tokens_burst: 120,
            wrong_links_per_minute: 10,
        }
    }
}

/// How often a caller may ask. `None`: as often as they like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimitsConfig {
    /// A subject.
    pub subject: Option<Rate>,
    /// A subject for changes.
    pub mutations: Option<Rate>,
    /// All subjects of an account.
    pub account: Option<Rate>,
    /// An address with bad tokens.
    pub bad_tokens: Option<Rate>,
    /// An address with confirmation links that lead nowhere.
    pub wrong_links: Option<Rate>,
}

impl RateLimitsSection {
    pub(super) fn resolve(&self) -> RateLimitsConfig {
        let rate = |count, period, burst| {
            let count = NonZeroU32::new(count).filter(|_| self.enabled);
            count.map(|count| Rate::new(count, period, burst))
        };
        RateLimitsConfig {
            subject: rate(self.subject_per_second, SECOND, self.subject_burst),
            mutations: rate(self.mutations_per_second, SECOND, self.mutations_burst),
            account: rate(self.account_per_second, SECOND, self.account_burst),
            bad_tokens: rate(self.bad_tokens_per_minute, MINUTE, self.bad_tokens_burst),
            wrong_links: rate(self.wrong_links_per_minute, MINUTE, self.wrong_links_per_minute),
        }
    }
}
