//! What an entry says of the thing that something was done to.

use std::collections::BTreeMap;

use crate::domain::{account::Locale, confirmation::Channel, engineer::Engineer};

/// Names and values, by name. A name that is not there has no value. Values are masked, or harmless.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(pub BTreeMap<String, String>);

impl Facts {
    /// Says one thing more, or anew.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How an engineer stands with their channels, for comparing. The exact values never leave it. What a chat robot's channel ends at is
/// not in it.
#[derive(Clone, Default)]
pub struct Portrait(BTreeMap<String, Value>);

#[derive(Clone)]
struct Value {
    exact: String,
    shown: String,
}

impl Portrait {
    /// An engineer and all their channels.
    pub fn of(engineer: &Engineer, channels: &[Channel]) -> Self {
        let mut portrait = Self::default();
        portrait.masked("name", Some(&engineer.name), mask_text);
        portrait.masked("alias", engineer.alias.as_deref(), mask_text);
        portrait.plain("userType", Some(engineer.user_type.name()));
        portrait.masked("identityProvider", engineer.identity_provider.as_deref(), str::to_owned);
        portrait.plain("directoryState", Some(engineer.directory_state.name()));
        portrait.plain("locale", engineer.locale.map(Locale::tag));
        portrait.set("mobile", engineer.mobile.as_ref().map(|mobile| (mobile.as_str(), mobile.masked())));
        portrait.set("email", engineer.email.as_ref().map(|email| (email.as_str(), email.masked())));
        portrait.plain("deleted", engineer.deleted_at.map(|_| "true"));
        for channel in channels {
            portrait.plain(channel.kind.name(), Some(channel.status().name()));
        }
        portrait
    }

    /// What the two say differently, each as it says it.
    pub fn compare(before: &Self, after: &Self) -> (Facts, Facts) {
        (after.unlike(before), before.unlike(after))
    }

    /// What of the other this one says otherwise, or not at all.
    fn unlike(&self, other: &Self) -> Facts {
        let differs =
            |(name, value): &(&String, &Value)| self.0.get(*name).is_none_or(|mine| mine.exact != value.exact);
        Facts(other.0.iter().filter(differs).map(|(name, value)| (name.clone(), value.shown.clone())).collect())
    }

    fn plain(&mut self, name: &str, value: Option<&str>) {
        self.set(name, value.map(|value| (value, value.to_owned())));
    }

    fn masked(&mut self, name: &str, value: Option<&str>, mask: fn(&str) -> String) {
        self.set(name, value.map(|value| (value, mask(value))));
    }

    fn set(&mut self, name: &str, value: Option<(&str, String)>) {
        if let Some((exact, shown)) = value {
            self.0.insert(name.to_owned(), Value { exact: exact.to_owned(), shown });
        }
    }
}

/// A name for those who need not know it: its first character.
fn mask_text(text: &str) -> String {
    let first: String = text.chars().take(1).collect();
    format!("{first}***")
}
