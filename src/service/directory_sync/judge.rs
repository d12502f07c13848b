//! Judging what a directory wrote: values that are not valid are left out with a reason, and the person goes on.

use crate::{
    domain::{
        account::AccountSettings,
        endpoint::{EmailAddress, PhoneNumber},
        engineer::MAX_NAME,
        roster::{ListedPerson, SyncReason},
        text::clean_text,
    },
    port::directory::{DirectoryPerson, Listing},
};

/// Judges everyone of a listing.
pub(super) fn judge_listing(listing: &Listing, settings: &AccountSettings) -> Vec<ListedPerson> {
    listing.people.iter().map(|person| judge_person(person, settings)).collect()
}

fn judge_person(person: &DirectoryPerson, settings: &AccountSettings) -> ListedPerson {
    let mut faults = Vec::new();
    let mut keep = |fault: SyncReason| faults.push(fault);
    let mobile = person.mobile.as_deref().and_then(|text| {
        let parsed = PhoneNumber::parse(text, settings.default_country.as_str());
        parsed.map_err(|_| keep(SyncReason::InvalidPhoneNumber)).ok()
    });
    let email = person
        .email
        .as_deref()
        .and_then(|text| EmailAddress::parse(text).map_err(|_| keep(SyncReason::InvalidEmailAddress)).ok());
    let alias = person.alias.as_deref().and_then(|text| {
        let cleaned = clean_text(text, MAX_NAME).map_err(|_| keep(SyncReason::InvalidAlias)).ok();
        cleaned.filter(|alias| !alias.is_empty())
    });
    let name = match clean_text(&person.name, MAX_NAME) {
        Ok(name) if !name.is_empty() => name,
        // The person is there all the same: they go by the directory's own key.
        Ok(_) | Err(_) => {
            keep(SyncReason::InvalidName);
            person.external_id.clone()
        }
    };
    ListedPerson {
        external_id: person.external_id.clone(),
        name,
        user_type: person.user_type,
        active: person.active,
        identity_provider: person.identity_provider.clone(),
        alias,
        mobile,
        email,
        faults,
    }
}
