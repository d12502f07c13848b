//! The ways to reach an engineer.

use super::named::named;

named! {
    /// A way to reach an engineer.
    pub enum ChannelKind {
        /// A text message to the mobile.
        Sms = "SMS",
        /// A call to the mobile.
        Voice = "VOICE",
        /// A mail.
        Email = "EMAIL",
        /// A WeCom group robot.
        Wecom = "WECOM",
        /// A DingTalk custom robot.
        Dingtalk = "DINGTALK",
        /// A Lark (Feishu) custom robot.
        Lark = "LARK",
    }
}

impl ChannelKind {
    /// Whether the person must confirm the channel before it counts. Chat robots need no confirmation.
    pub const fn needs_confirmation(self) -> bool {
        match self {
            Self::Sms | Self::Voice | Self::Email => true,
            Self::Wecom | Self::Dingtalk | Self::Lark => false,
        }
    }

    /// The field of the engineer that holds the endpoint.
    pub const fn endpoint_field(self) -> EndpointField {
        match self {
            Self::Sms | Self::Voice => EndpointField::Mobile,
            Self::Email => EndpointField::Email,
            Self::Wecom | Self::Dingtalk | Self::Lark => EndpointField::Webhook,
        }
    }
}

/// Where a channel keeps its endpoint. SMS and voice share the mobile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndpointField {
    /// The engineer's mobile.
    Mobile,
    /// The engineer's e-mail address.
    Email,
    /// A webhook of the channel's own.
    Webhook,
}
