//! Ids: one form each, and no confusion between kinds.

use chrono::{Duration, TimeZone, Utc};
use proptest::prelude::*;
use rollcall::domain::{
    chance::Chance,
    id::{AccountId, ChannelSubscriptionId, DirectorySyncId, EngineerId, EventId, InvalidId},
};
use uuid::{Uuid, Version};

use super::start;

/// Random bytes that are not random.
struct Fixed(u8);

impl Chance for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn an_id_is_its_kind_and_32_digits() {
    let key = Uuid::try_parse(KEY).unwrap();
    assert_eq!(EngineerId(key).to_string(), format!("engineer:{KEY}"));
    assert_eq!(ChannelSubscriptionId(key).to_string(), format!("channel-subscription:{KEY}"));
    assert_eq!(DirectorySyncId(key).to_string(), format!("directory-sync:{KEY}"));
    assert_eq!(EventId(key).to_string(), format!("status-change:{KEY}"));
}

#[test]
fn an_id_of_another_kind_is_refused_and_the_refusal_names_the_wanted_one() {
    let key = Uuid::try_parse(KEY).unwrap();
    let (engineer, subscription) = (EngineerId(key).to_string(), ChannelSubscriptionId(key).to_string());
    let (sync, event) = (DirectorySyncId(key).to_string(), EventId(key).to_string());
    for wrong in [&subscription, &sync, &event] {
        assert_eq!(wrong.parse::<EngineerId>(), Err(InvalidId { kind: "engineer" }), "{wrong}");
    }
    for wrong in [&engineer, &sync, &event] {
        let refused = Err(InvalidId { kind: "channel-subscription" });
        assert_eq!(wrong.parse::<ChannelSubscriptionId>(), refused, "{wrong}");
    }
    for wrong in [&engineer, &subscription, &event] {
        assert_eq!(wrong.parse::<DirectorySyncId>(), Err(InvalidId { kind: "directory-sync" }), "{wrong}");
    }
    for wrong in [&engineer, &subscription, &sync] {
        assert_eq!(wrong.parse::<EventId>(), Err(InvalidId { kind: "status-change" }), "{wrong}");
    }
}

#[test]
fn what_is_no_id_is_refused() {
    for text in [
        "",
        "engineer",
        "engineer:",
        KEY,
        "engineer:0123456789abcdef0123456789abcde",
        "engineer:0123456789abcdef0123456789abcdef0",
        "engineer:0123456789abcdef0123456789abcdeg",
        "engineer:01234567-89ab-cdef-0123-456789abcdef",
        "engineer: 123456789abcdef0123456789abcdef",
        "Engineer:0123456789abcdef0123456789abcdef",
        " engineer:0123456789abcdef0123456789abcdef",
        "engineer:林林林林林林林林林林ab",
    ] {
        assert_eq!(text.parse::<EngineerId>(), Err(InvalidId { kind: "engineer" }), "{text:?}");
    }
}

#[test]
fn a_new_id_is_a_uuid_of_version_7_that_carries_the_time() {
    let id = EngineerId::generate(start(), &Fixed(0xff));
    assert_eq!(id.0.get_version(), Some(Version::SortRand));
    let (seconds, nanos) = id.0.get_timestamp().unwrap().to_unix();
    assert_eq!((i64::try_from(seconds).unwrap(), nanos), (start().timestamp(), 0));
}

#[test]
fn account_keys_are_short_and_plain() {
    for good in ["demo", "a", "0", "ops-cn_2", &"a".repeat(AccountId::MAX_LENGTH)] {
        assert_eq!(good.parse::<AccountId>().unwrap().as_str(), good);
    }
    for bad in ["", "Demo", "-demo", "_demo", "de mo", "demo\n", "démo", "a.b", "a/b", &"a".repeat(65)] {
        assert_eq!(bad.parse::<AccountId>(), Err(InvalidId { kind: "account" }), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn every_id_is_read_back(key in any::<u128>()) {
        let key = Uuid::from_u128(key);
        prop_assert_eq!(EngineerId(key).to_string().parse(), Ok(EngineerId(key)));
        prop_assert_eq!(ChannelSubscriptionId(key).to_string().parse(), Ok(ChannelSubscriptionId(key)));
        prop_assert_eq!(DirectorySyncId(key).to_string().parse(), Ok(DirectorySyncId(key)));
        prop_assert_eq!(EventId(key).to_string().parse(), Ok(EventId(key)));
    }

    #[test]
    fn ids_are_ordered_by_time_whatever_chance_says(
        millis in 0_i64..4_102_444_800_000, later in 1_i64..1_000_000, early in any::<u8>(), late in any::<u8>(),
    ) {
        let now = Utc.timestamp_millis_opt(millis).unwrap();
        let first = EventId::generate(now, &Fixed(early));
        let second = EventId::generate(now + Duration::milliseconds(later), &Fixed(late));
        prop_assert!(first < second);
        prop_assert!(first.to_string() < second.to_string());
    }
}
