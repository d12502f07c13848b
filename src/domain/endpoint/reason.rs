//! What exactly is wrong with a value, as a code for programs and in words for a person.

use crate::domain::{account::Locale, named::named};

macro_rules! reasons {
    ($($(#[$doc:meta])* $Reason:ident = $name:literal, $en:literal, $zh:literal;)*) => {
        named! {
            /// What exactly is wrong with a refused value.
            pub enum Reason {
                $($(#[$doc])* $Reason = $name,)*
            }
        }

        impl Reason {
            /// What is wrong in words, fit for parentheses within a sentence.
            pub const fn words(self, locale: Locale) -> &'static str {
                match (self, locale) {
                    $((Self::$Reason, Locale::En) => $en, (Self::$Reason, Locale::ZhCn) => $zh,)*
                }
            }
        }
    };
}

reasons! {
    /// Nothing was given.
    Empty = "EMPTY", "nothing was given", "未填写";
    /// Too few characters or digits.
    TooShort = "TOO_SHORT", "too short", "过短";
    /// Too many characters or digits.
    TooLong = "TOO_LONG", "too long", "过长";
    /// A character that has no place in such a value, such as a letter in a phone number or a space in an address.
    ForbiddenCharacter = "FORBIDDEN_CHARACTER", "a character that has no place there", "含有不允许的字符";
    /// A character outside ASCII. Addresses of other scripts are given in their ASCII form (`xn--…`).
    NotAscii = "NOT_ASCII", "a character outside ASCII", "含有非 ASCII 字符";
    /// A line break or another control character.
    ControlCharacter = "CONTROL_CHARACTER", "a line break or another control character", "含有换行或其他控制字符";
    /// A character that does not show, or that turns the direction of writing.
    InvisibleCharacter = "INVISIBLE_CHARACTER", "a character that does not show", "含有不可见字符";
    /// Phone: there are no digits.
    NotANumber = "NOT_A_NUMBER", "no digits", "没有数字";
    /// Phone: no country has this country code, or the default country is none.
    UnknownCountryCode = "UNKNOWN_COUNTRY_CODE", "unknown country code", "国家码不存在";
    /// Phone: dialled abroad with a prefix other than `+` or `00`. Right is `+` and the country code.
    InternationalPrefix = "INTERNATIONAL_PREFIX", "begin with + and the country code", "请以 + 和国家码开头";
    /// Phone: of a possible length, but the country has given out no such number.
    NoSuchNumber = "NO_SUCH_NUMBER", "the country has no such number", "该国家没有此号码";
    /// Mail: there is no `@`.
    NoAtSign = "NO_AT_SIGN", "no @", "缺少 @";
    /// Mail: there is more than one `@`.
    SeveralAtSigns = "SEVERAL_AT_SIGNS", "more than one @", "含有多个 @";
    /// Mail: what stands before the `@` is blank, longer than 64 characters, or has a dot first, last or twice in a row.
    WrongLocalPart = "WRONG_LOCAL_PART", "what stands before the @ is not possible", "@ 之前的部分无效";
    /// Mail: what stands after the `@` is not a full domain name.
    WrongDomain = "WRONG_DOMAIN", "what stands after the @ is no full domain name", "@ 之后不是完整的域名";
    /// Webhook: it does not begin with `https://`.
    NotHttps = "NOT_HTTPS", "it does not begin with https://", "未以 https:// 开头";
    /// Webhook: there is a user name or password before the host.
    UserInfo = "USER_INFO", "a user name before the host", "主机名前含有用户名";
    /// Webhook: there is a port.
    Port = "PORT", "a port", "含有端口";
    /// Webhook: not a host of that channel.
    WrongHost = "WRONG_HOST", "not a host of this channel", "主机名不属于该渠道";
    /// Webhook: there is a `#`.
    Fragment = "FRAGMENT", "a # in it", "含有 # 号";
    /// Webhook: the host is right, the path or the name of the parameter is not.
    WrongPath = "WRONG_PATH", "the path is another one", "路径不正确";
    /// Webhook: there are parameters beside the key.
    ExtraParameter = "EXTRA_PARAMETER", "parameters beside the key", "含有多余的参数";
    /// Webhook: the key does not have the form of a key of that channel.
    WrongKey = "WRONG_KEY", "the key does not have the right form", "密钥格式不正确";
    /// Webhook: the channel has none.
    NoWebhook = "NO_WEBHOOK", "the channel has no webhook", "该渠道没有地址";
    /// Secret: DingTalk's begin with `SEC`.
    WrongPrefix = "WRONG_PREFIX", "it does not begin with SEC", "未以 SEC 开头";
    /// Secret: the channel has none.
    NoSecret = "NO_SECRET", "the channel has no secret", "该渠道没有签名密钥";
    /// The language is none of those that rollcall speaks.
    UnknownLanguage = "UNKNOWN_LANGUAGE", "en and zh-CN are known", "支持 en 和 zh-CN";
    /// Two different mobiles for one person.
    MobilesDiffer = "MOBILES_DIFFER", "SMS and VOICE share one mobile", "短信与语音共用一个手机号码";
    /// Two different mail addresses for one person.
    AddressesDiffer = "ADDRESSES_DIFFER", "two different e-mail addresses", "给出了两个不同的邮箱地址";
    /// The same channel twice.
    NamedTwice = "NAMED_TWICE", "the channel is named twice", "同一渠道出现了两次";
    /// A federated user without an identity provider.
    ProviderNeeded = "PROVIDER_NEEDED", "federated users need one", "联邦用户必须填写";
    /// A name that is not one person's.
    AmbiguousName = "AMBIGUOUS_NAME", "several people have this name", "有多人使用此名称";
    /// Both ids and a filter, or neither.
    IdsOrFilter = "IDS_OR_FILTER", "give engineerIds or filter, not both", "engineerIds 与 filter 须二者择一";
    /// More ids than one call takes.
    TooManyIds = "TOO_MANY_IDS", "too many at once; {limit} are taken", "一次数量过多,最多 {limit} 个";
    /// An API key for the role ENGINEER, which is always one person's.
    NobodysRole = "NOBODYS_ROLE", "a key is nobody's; VIEWER, OPERATOR and ADMIN are allowed", "密钥不属于任何人员,可选 VIEWER、OPERATOR 或 ADMIN";
    /// A chat robot's webhook.
    NeverShown = "NEVER_SHOWN", "a webhook is never shown", "Webhook 地址从不显示";
    /// A moment that must lie ahead.
    NotAhead = "NOT_AHEAD", "the moment must lie ahead", "必须是将来的时间";
}
