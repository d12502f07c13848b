//! Messages of sockets: each is read, or refused with a reason that fits a close frame.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall::http::{ClientMessage, InvalidMessage};
use serde::de::IgnoredAny;

/// The longest reason of a close frame, in bytes (RFC 6455, sections 5.5 and 5.5.1).
const MAX_REASON: usize = 123;

fuzz_target!(|input: &str| {
    match ClientMessage::parse(input) {
        Ok(ClientMessage::Subscribe { id, call: _ } | ClientMessage::Complete { id }) => {
            assert!((1..=256).contains(&id.len()), "{} bytes", id.len());
            assert!(is_json(input));
        }
        Ok(ClientMessage::ConnectionInit { .. } | ClientMessage::Ping { .. } | ClientMessage::Pong) => {
            assert!(is_json(input));
        }
        Err(InvalidMessage(reason)) => assert!((1..=MAX_REASON).contains(&reason.len()), "{reason}"),
    }
});

/// Whether it is JSON. A number may be too large for a `Value` and stand where nobody looks.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}
