//! The rules, with nothing around them: no clock, no database, no network.

mod actor;
mod confirmation;
mod endpoint;
mod engineer;
mod event;
mod id;
mod rate;
mod resend;
mod roster;

use chrono::{DateTime, Duration, Utc};
use rollcall::domain::{
    channel::ChannelKind,
    confirmation::{Channel, Confirmation, FailureCode, Request},
    endpoint::{EmailAddress, PhoneNumber},
    engineer::{DirectoryIdentity, DirectoryState, Engineer, Touched, UserType},
    id::{ChannelSubscriptionId, EngineerId},
};
use uuid::Uuid;

/// The moment at which most tests begin.
fn start() -> DateTime<Utc> {
    "2026-05-01T08:00:00Z".parse().unwrap()
}

/// So many seconds after [`start`].
fn after(seconds: i64) -> DateTime<Utc> {
    start() + Duration::seconds(seconds)
}

fn generation(number: u128) -> ChannelSubscriptionId {
    ChannelSubscriptionId(Uuid::from_u128(number))
}

fn request(number: u128) -> Request {
    Request { generation: generation(number), requested_at: start(), due_at: start() }
}

/// Every state that a channel with an endpoint can reach by asking, for that request.
fn asked_states(request: Request) -> [Confirmation; 6] {
    [
        Confirmation::Requested(request),
        Confirmation::Pending { request, expires_at: after(100) },
        Confirmation::Confirmed { request, at: after(50) },
        Confirmation::Expired { request, expires_at: after(100) },
        Confirmation::Cancelled(request),
        Confirmation::Failed { request, code: FailureCode::QuotaExceeded },
    ]
}

fn channel(kind: ChannelKind, state: Confirmation) -> Channel {
    Channel { kind, state, robot: None }
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn mobile(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text, "CN").unwrap()
}

/// Someone who was added by hand, without any endpoint.
fn engineer(number: u128, name: &str) -> Engineer {
    Engineer {
        id: EngineerId(Uuid::from_u128(number)),
        name: name.to_owned(),
        alias: None,
        user_type: UserType::IamUser,
        identity_provider: None,
        identity: None,
        directory_state: DirectoryState::Active,
        locale: None,
        mobile: None,
        email: None,
        touched: Touched::default(),
        version: 1,
        created_at: start(),
        updated_at: start(),
        synced_at: None,
        deleted_at: None,
    }
}

/// The same person, come from that directory.
fn from_directory(engineer: Engineer, directory: &str, external_id: &str) -> Engineer {
    let identity = DirectoryIdentity { directory: directory.to_owned(), external_id: external_id.to_owned() };
    Engineer { identity: Some(identity), ..engineer }
}

/// The same person, with that e-mail address.
fn with_email(engineer: Engineer, address: &str) -> Engineer {
    let touched = Touched { email: true, ..engineer.touched };
    Engineer { email: Some(email(address)), touched, ..engineer }
}
