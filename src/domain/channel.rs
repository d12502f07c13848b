//! The ways to reach an engineer.

/// A way to reach an engineer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChannelKind {
    /// A text message to the mobile.
    Sms,
    /// A call to the mobile.
    Voice,
    /// A mail.
    Email,
    /// A WeCom group robot.
    Wecom,
    /// A DingTalk custom robot.
    Dingtalk,
    /// A Lark (Feishu) custom robot.
    Lark,
}

impl ChannelKind {
    /// Every kind, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Sms, Self::Voice, Self::Email, Self::Wecom, Self::Dingtalk, Self::Lark];

    /// The name in the API and in stored rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "SMS",
            Self::Voice => "VOICE",
            Self::Email => "EMAIL",
            Self::Wecom => "WECOM",
            Self::Dingtalk => "DINGTALK",
            Self::Lark => "LARK",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

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
