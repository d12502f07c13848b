//! Where engineers come from.

use std::fmt;

use async_trait::async_trait;

use crate::domain::{engineer::UserType, named::named};

/// One person as a directory tells of them. Contact data is as the directory wrote it; the domain judges it.
#[derive(Clone, PartialEq, Eq)]
pub struct DirectoryPerson {
    /// The directory's own key of the person; never reused for someone else.
    pub external_id: String,
    /// The user name.
    pub name: String,
    /// The kind of user.
    pub user_type: UserType,
    /// Whether the directory lets the person in.
    pub active: bool,
    /// The identity provider of a federated user.
    pub identity_provider: Option<String>,
    /// A mobile to seed, as written.
    pub mobile: Option<String>,
    /// An e-mail address to seed, as written.
    pub email: Option<String>,
    /// An alias to seed.
    pub alias: Option<String>,
}

/// Contact data is left out.
impl fmt::Debug for DirectoryPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectoryPerson").field("external_id", &self.external_id).finish_non_exhaustive()
    }
}

/// A complete reading of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Everyone that could be read, in the directory's order.
    pub people: Vec<DirectoryPerson>,
    /// What could not be read. The people it concerns are neither added nor taken for gone.
    pub problems: Vec<ListingProblem>,
    /// Columns or attributes that rollcall does not know, and so left out.
    pub unknown_fields: Vec<String>,
}

/// One entry of a directory that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingProblem {
    /// The line in the file, counted from 1, where there is one.
    pub line: Option<u64>,
    /// The person's external id, where it could be read: the person is then known to be there and not gone.
    pub external_id: Option<String>,
    /// What is wrong.
    pub code: ListingProblemCode,
    /// The field concerned, as the directory names it.
    pub field: Option<String>,
}

named! {
    /// Why an entry of a directory was refused.
    pub enum ListingProblemCode {
        /// A field that every person needs is blank.
        MissingValue = "MISSING_VALUE",
        /// The value is none of those that the field allows.
        InvalidValue = "INVALID_VALUE",
        /// The row has more or fewer fields than the header.
        WrongFieldCount = "WRONG_FIELD_COUNT",
        /// The same external id stands in an earlier entry.
        Duplicate = "DUPLICATE",
        /// The text is not valid in the file's encoding.
        InvalidEncoding = "INVALID_ENCODING",
    }
}

/// The directory could not be read as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// It did not answer; trying again may help. The text is fit for an operator and holds no secret.
    #[error("the directory did not answer: {0}")]
    Unavailable(String),
    /// It refused, or what it gave is no listing at all; trying again does not help. The text is fit for an operator.
    #[error("the directory cannot be read: {0}")]
    Refused(String),
}

/// A directory of people.
#[async_trait]
pub trait DirectorySource: Send + Sync {
    /// Reads everyone. An answer is complete: whoever is missing from it is gone.
    ///
    /// # Errors
    /// When the directory could not be read to its end.
    async fn list_people(&self) -> Result<Listing, DirectoryError>;
}
