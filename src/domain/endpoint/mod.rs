//! Where a channel ends: a phone number, a mail address, a chat-robot webhook. What a person typed is judged here.
//!
//! Every value is contact data or a credential, so `Debug` shows it masked and none has a `Display`: whoever needs the clear
//! text says so with `as_str`.

mod email;
mod error;
mod phone;
mod reason;
mod webhook;

pub use self::{
    email::EmailAddress,
    error::EndpointError,
    phone::PhoneNumber,
    reason::Reason,
    webhook::{RobotSecret, Webhook},
};
