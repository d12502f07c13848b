//! Why a typed value was refused.

/// A typed value was refused. It names the fault and never carries the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No phone number.
    #[error("not a phone number: {}", .0.name())]
    InvalidPhoneNumber(Reason),
    /// No mail address.
    #[error("not a mail address: {}", .0.name())]
    InvalidEmailAddress(Reason),
    /// Not the webhook of a robot of that channel.
    #[error("not a webhook of the channel: {}", .0.name())]
    InvalidWebhook(Reason),
    /// A text or a robot's secret that cannot be used.
    #[error("the value cannot be used: {}", .0.name())]
    InvalidValue(Reason),
    /// A text or a robot's secret that is longer than allowed.
    #[error("longer than {max} characters")]
    TooLong {
        /// The most characters allowed.
        max: usize,
    },
}

impl EndpointError {
    /// The code in the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidPhoneNumber(_) => "INVALID_PHONE_NUMBER",
            Self::InvalidEmailAddress(_) => "INVALID_EMAIL_ADDRESS",
            Self::InvalidWebhook(_) => "INVALID_WEBHOOK",
            Self::InvalidValue(_) => "INVALID_VALUE",
            Self::TooLong { .. } => "TOO_LONG",
        }
    }

    /// What exactly is wrong, for a message that says so.
    pub const fn reason(self) -> Reason {
        match self {
            Self::InvalidPhoneNumber(reason)
            | Self::InvalidEmailAddress(reason)
            | Self::InvalidWebhook(reason)
            | Self::InvalidValue(reason) => reason,
            Self::TooLong { .. } => Reason::TooLong,
        }
    }
}

/// What exactly is wrong with a refused value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing was given.
    Empty,
    /// Too few characters or digits.
    TooShort,
    /// Too many characters or digits.
    TooLong,
    /// A character that has no place in such a value, such as a letter in a phone number or a space in an address.
    ForbiddenCharacter,
    /// A character outside ASCII. Addresses of other scripts are given in their ASCII form (`xn--…`).
    NotAscii,
    /// A line break or another control character.
    ControlCharacter,
    /// A character that does not show, or that turns the direction of writing.
    InvisibleCharacter,
    /// Phone: there are no digits.
    NotANumber,
    /// Phone: no country has this country code, or the default country is none.
    UnknownCountryCode,
    /// Phone: dialled abroad with a prefix other than `+` or `00`. Right is `+` and the country code.
    InternationalPrefix,
    /// Phone: of a possible length, but the country has given out no such number.
    NoSuchNumber,
    /// Mail: there is no `@`.
    NoAtSign,
    /// Mail: there is more than one `@`.
    SeveralAtSigns,
    /// Mail: what stands before the `@` is blank, longer than 64 characters, or has a dot first, last or twice in a row.
    WrongLocalPart,
    /// Mail: what stands after the `@` is not a full domain name.
    WrongDomain,
    /// Webhook: it does not begin with `https://`.
    NotHttps,
    /// Webhook: there is a user name or password before the host.
    UserInfo,
    /// Webhook: there is a port.
    Port,
    /// Webhook: not a host of that channel.
    WrongHost,
    /// Webhook: there is a `#`.
    Fragment,
    /// Webhook: the host is right, the path or the name of the parameter is not.
    WrongPath,
    /// Webhook: there are parameters beside the key.
    ExtraParameter,
    /// Webhook: the key does not have the form of a key of that channel.
    WrongKey,
    /// Webhook: the channel has none.
    NoWebhook,
    /// Secret: DingTalk's begin with `SEC`.
    WrongPrefix,
    /// Secret: the channel has none.
    NoSecret,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 26] = [
        Self::Empty,
        Self::TooShort,
        Self::TooLong,
        Self::ForbiddenCharacter,
        Self::NotAscii,
        Self::ControlCharacter,
        Self::InvisibleCharacter,
        Self::NotANumber,
        Self::UnknownCountryCode,
        Self::InternationalPrefix,
        Self::NoSuchNumber,
        Self::NoAtSign,
        Self::SeveralAtSigns,
        Self::WrongLocalPart,
        Self::WrongDomain,
        Self::NotHttps,
        Self::UserInfo,
        Self::Port,
        Self::WrongHost,
        Self::Fragment,
        Self::WrongPath,
        Self::ExtraParameter,
        Self::WrongKey,
        Self::NoWebhook,
        Self::WrongPrefix,
        Self::NoSecret,
    ];

    /// The reason's code, for messages and parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "EMPTY",
            Self::TooShort => "TOO_SHORT",
            Self::TooLong => "TOO_LONG",
            Self::ForbiddenCharacter => "FORBIDDEN_CHARACTER",
            Self::NotAscii => "NOT_ASCII",
            Self::ControlCharacter => "CONTROL_CHARACTER",
            Self::InvisibleCharacter => "INVISIBLE_CHARACTER",
            Self::NotANumber => "NOT_A_NUMBER",
            Self::UnknownCountryCode => "UNKNOWN_COUNTRY_CODE",
            Self::InternationalPrefix => "INTERNATIONAL_PREFIX",
            Self::NoSuchNumber => "NO_SUCH_NUMBER",
            Self::NoAtSign => "NO_AT_SIGN",
            Self::SeveralAtSigns => "SEVERAL_AT_SIGNS",
            Self::WrongLocalPart => "WRONG_LOCAL_PART",
            Self::WrongDomain => "WRONG_DOMAIN",
            Self::NotHttps => "NOT_HTTPS",
            Self::UserInfo => "USER_INFO",
            Self::Port => "PORT",
            Self::WrongHost => "WRONG_HOST",
            Self::Fragment => "FRAGMENT",
            Self::WrongPath => "WRONG_PATH",
            Self::ExtraParameter => "EXTRA_PARAMETER",
            Self::WrongKey => "WRONG_KEY",
            Self::NoWebhook => "NO_WEBHOOK",
            Self::WrongPrefix => "WRONG_PREFIX",
            Self::NoSecret => "NO_SECRET",
        }
    }
}
