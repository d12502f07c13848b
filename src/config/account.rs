//! The accounts: one server carries several.

use std::collections::BTreeMap;

use chrono_tz::{TZ_VARIANTS, Tz};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    directory::{DirectoryConfig, DirectorySection},
    findings::Findings,
    suggest,
};
use crate::domain::{
    account::{AccountSettings, CountryCode, Locale, MailAddress},
    id::AccountId,
    ttl::parse_ttl,
};

/// An account: an organisation and its engineers. Its key is 1 to 64 of `a-z`, `0-9`, `-` and `_`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AccountSection {
    /// The organisation, as people read it in a message.
    #[schemars(extend("x-required" = true))]
    name: Option<String>,
    /// Who asks for confirmations and knows their status.
    provider: ProviderKind,
    /// The sender of mail: an address, or a name and an address, such as `Demo Ltd <oncall@example.com>`.
    #[schemars(extend("x-required" = true))]
    sender: Option<String>,
    /// Where answers to that mail go, written like the sender.
    #[schemars(extend("x-default" = "the sender"))]
    reply_to: Option<String>,
    /// Whom to ask about a message, as people read it: a name, a mail address, a telephone number.
    #[schemars(extend("x-default" = "the address that answers go to"))]
    contact: Option<String>,
    /// The privacy notice that goes with each message: a text, or the URL where it stands.
    privacy_notice: Option<String>,
    /// The language of messages to people who have none of their own.
    locale: LocaleTag,
    /// The time zone in which deadlines are told (IANA name, such as `Asia/Shanghai`).
    time_zone: String,
    /// The country of mobile numbers that are written without one (two capital letters of ISO 3166-1).
    default_country_code: String,
    /// Whether a directory sync asks people to confirm what it brings.
    subscribe_on_sync: bool,
    /// How long a deleted person can be restored, such as `90m`, `24h` or `7d`, `366d` at most; then their data is erased.
    erase_after: String,
    /// The directories that the engineers come from, by a name of the same form as an account's key. At least one.
    #[schemars(extend("x-required" = true, "x-key" = "directory"))]
    directories: BTreeMap<String, DirectorySection>,
}

impl Default for AccountSection {
    fn default() -> Self {
        Self {
            name: None,
            provider: ProviderKind::Builtin,
            sender: None,
            reply_to: None,
            contact: None,
            privacy_notice: None,
            locale: LocaleTag::En,
            time_zone: Tz::UTC.name().to_owned(),
            default_country_code: CountryCode::CN.to_string(),
            subscribe_on_sync: false,
            erase_after: "24h".to_owned(),
            directories: BTreeMap::new(),
        }
    }
}

/// Who asks for confirmations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// rollcall itself, by a link and a code.
    Builtin,
}

/// A language, as written in the configuration.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
enum LocaleTag {
    /// English.
    #[serde(rename = "en")]
    En,
    /// Chinese in simplified characters.
    #[serde(rename = "zh-CN")]
    ZhCn,
}

impl From<LocaleTag> for Locale {
    fn from(tag: LocaleTag) -> Self {
        match tag {
            LocaleTag::En => Self::En,
            LocaleTag::ZhCn => Self::ZhCn,
        }
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountConfig {
    /// What the rules need to know of it.
    pub settings: AccountSettings,
    /// Who asks for confirmations.
    pub provider: ProviderKind,
    /// The directories by name. Never empty; the names are those in the settings.
    pub directories: BTreeMap<String, DirectoryConfig>,
}

impl AccountSection {
    /// Resolves the section of the account `key`.
    pub(super) fn resolve(&self, key: &str, findings: &mut Findings) -> Option<AccountConfig> {
        let at = format!("accounts.{key}");
        let id = findings.accept(&at, key.parse::<AccountId>().map_err(|_| describe_key(key)));
        let directories = self.resolve_directories(&at, findings);
        let path = |name: &str| format!("{at}.{name}");
        let name = findings.take_line(&path("name"), self.name.as_deref().unwrap_or_default());
        let sender = take_mail_address(findings, &path("sender"), self.sender.as_deref().unwrap_or_default());
        let reply_to = self.reply_to.as_deref().and_then(|text| take_mail_address(findings, &path("reply_to"), text));
        let answers_to = reply_to.as_ref().or(sender.as_ref()).map(|address| address.address.clone());
        let contact = self.contact.as_deref().map(|text| findings.take_line(&path("contact"), text)).or(answers_to);
        let erase_after = parse_ttl(&self.erase_after).map_err(|problem| format!("\"{}\" {problem}", self.erase_after));
        let erase_after = findings.accept(&path("erase_after"), erase_after);
        let privacy_notice =
            self.privacy_notice.as_deref().map(|text| findings.take_line(&path("privacy_notice"), text));
        let time_zone = findings.accept(&path("time_zone"), parse_time_zone(&self.time_zone));
        let country = self.default_country_code.parse::<CountryCode>();
        let country = country.map_err(|problem| format!("\"{}\" is {problem}", self.default_country_code));
        let default_country = findings.accept(&path("default_country_code"), country);
        let settings = AccountSettings {
            id: id?,
            name,
            sender: sender?,
            reply_to,
            contact: contact?,
            privacy_notice,
            locale: self.locale.into(),
            time_zone: time_zone?,
            default_country: default_country?,
            subscribe_on_sync: self.subscribe_on_sync,
            erase_after: erase_after?,
            directories: directories.keys().cloned().collect(),
        };
        Some(AccountConfig { settings, provider: self.provider, directories })
    }

    fn resolve_directories(&self, at: &str, findings: &mut Findings) -> BTreeMap<String, DirectoryConfig> {
        let at = format!("{at}.directories");
        if self.directories.is_empty() {
            findings.refuse(&at, format!("needs at least one directory, written [{at}.<directory>]"));
        }
        let mut directories = BTreeMap::new();
        for (name, section) in &self.directories {
            let at = format!("{at}.{name}");
            // Names of directories are written like keys of accounts, so that variables can name them too.
            if name.parse::<AccountId>().is_err() {
                findings.refuse(&at, describe_key(name));
            }
            if let Some(directory) = section.resolve(&at, findings) {
                directories.insert(name.clone(), directory);
            }
        }
        directories
    }
}

fn describe_key(key: &str) -> String {
    format!("\"{key}\" must be 1 to {} of a-z, 0-9, - and _, and begin with a letter or digit", AccountId::MAX_LENGTH)
}

fn parse_time_zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| {
        let nearest = suggest::find_nearest(name, TZ_VARIANTS.iter().map(|zone| zone.name()));
        let hint = nearest.map(|zone| format!("; did you mean \"{zone}\"?")).unwrap_or_default();
        format!("\"{name}\" is no time zone such as Asia/Shanghai{hint}")
    })
}

fn take_mail_address(findings: &mut Findings, path: &str, text: &str) -> Option<MailAddress> {
    let text = findings.take_line(path, text);
    let parsed = parse_mail_address(&text).ok_or_else(|| {
        format!("\"{text}\" is no mail address such as oncall@example.com or Demo Ltd <oncall@example.com>")
    });
    findings.accept(path, parsed)
}

fn parse_mail_address(text: &str) -> Option<MailAddress> {
    let (name, address) = match text.strip_suffix('>') {
        Some(named) => named.split_once('<')?,
        None => ("", text),
    };
    let name = name.trim().trim_matches('"').trim();
    let address = address.trim().parse::<lettre::Address>().ok()?;
    Some(MailAddress { name: (!name.is_empty()).then(|| name.to_owned()), address: address.to_string() })
}
