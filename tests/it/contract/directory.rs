//! What every directory must keep to, whatever it reads: run against the CSV file and against the fake.

use std::{path::PathBuf, sync::Mutex};

use async_trait::async_trait;
use rollcall::{
    adapter::directory::csv::CsvDirectory,
    domain::engineer::UserType,
    port::directory::{DirectoryError, DirectoryPerson, DirectorySource, Listing, ListingProblem, ListingProblemCode},
};
use tempfile::TempDir;

/// A directory that answers what it is told to.
pub struct FakeDirectory(Mutex<Result<Listing, DirectoryError>>);

impl FakeDirectory {
    /// A directory with this answer.
    pub const fn answering(answer: Result<Listing, DirectoryError>) -> Self {
        Self(Mutex::new(answer))
    }
}

#[async_trait]
impl DirectorySource for FakeDirectory {
    async fn list_people(&self) -> Result<Listing, DirectoryError> {
        self.0.lock().unwrap().clone()
    }
}

/// One entry that a directory is filled with.
#[derive(Clone)]
enum Entry {
    Person(DirectoryPerson),
    /// Someone whose entry cannot be read, save for the external id.
    Unreadable(&'static str),
    /// An entry that cannot be read at all.
    Anyone,
}

/// A directory in the hands of a test.
trait Rig {
    fn source(&self) -> &dyn DirectorySource;
    fn fill(&self, entries: &[Entry]);
    fn take_away(&self);
}

struct Csv {
    source: CsvDirectory,
    path: PathBuf,
    _folder: TempDir,
}

impl Csv {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("people.csv");
        Self { source: CsvDirectory::new(&path), path, _folder: folder }
    }
}

impl Rig for Csv {
    fn source(&self) -> &dyn DirectorySource {
        &self.source
    }

    fn fill(&self, entries: &[Entry]) {
        let mut text = "external_id,name,user_type,state,identity_provider,mobile,email,alias\n".to_owned();
        for entry in entries {
            text += &match entry {
                Entry::Person(person) => {
                    let cell = |value: &Option<String>| value.clone().unwrap_or_default();
                    let state = if person.active { "active" } else { "disabled" };
                    let DirectoryPerson { external_id, name, identity_provider, mobile, email, alias, .. } = person;
                    format!(
                        "{external_id},{name},{},{state},{},{},{},{}\n",
                        person.user_type.name(),
                        cell(identity_provider),
                        cell(mobile),
                        cell(email),
                        cell(alias),
                    )
                }
                Entry::Unreadable(external_id) => format!("{external_id},,,,,,,\n"),
                Entry::Anyone => ",someone,,,,,,\n".to_owned(),
            };
        }
        std::fs::write(&self.path, text).unwrap();
    }

    fn take_away(&self) {
        std::fs::remove_file(&self.path).unwrap();
    }
}

impl Rig for FakeDirectory {
    fn source(&self) -> &dyn DirectorySource {
        self
    }

    fn fill(&self, entries: &[Entry]) {
        let mut listing = Listing::default();
        let problem = |external_id: Option<&str>, code| ListingProblem {
            line: None,
            external_id: external_id.map(str::to_owned),
            code,
            field: None,
        };
        for entry in entries {
            match entry {
                Entry::Person(person) if listing.people.iter().any(|seen| seen.external_id == person.external_id) => {
                    listing.problems.push(problem(Some(&person.external_id), ListingProblemCode::Duplicate));
                }
                Entry::Person(person) => listing.people.push(person.clone()),
                Entry::Unreadable(id) => {
                    listing.problems.push(problem(Some(id), ListingProblemCode::MissingValue));
                }
                Entry::Anyone => listing.problems.push(problem(None, ListingProblemCode::MissingValue)),
            }
        }
        *self.0.lock().unwrap() = Ok(listing);
    }

    fn take_away(&self) {
        *self.0.lock().unwrap() = Err(DirectoryError::Refused("it is gone".to_owned()));
    }
}

fn person(external_id: &str, name: &str) -> DirectoryPerson {
    DirectoryPerson {
        external_id: external_id.to_owned(),
        name: name.to_owned(),
        user_type: UserType::IamUser,
        active: true,
        identity_provider: None,
        mobile: None,
        email: None,
        alias: None,
    }
}

/// One body, one test for each directory.
macro_rules! every_directory {
    ($($name:ident)*) => { $(
        mod $name {
            #[tokio::test]
            async fn csv() {
                super::$name(&super::Csv::new()).await;
            }

            #[tokio::test]
            async fn fake() {
                let empty = super::Listing::default();
                super::$name(&super::FakeDirectory::answering(Ok(empty))).await;
            }
        }
    )* };
}

every_directory! {
    everyone_is_listed_in_the_directorys_order_with_all_that_it_tells
    contact_data_is_passed_on_as_written
    a_listing_asked_for_twice_is_the_same_and_follows_the_directory
    an_external_id_is_listed_once
    an_entry_that_cannot_be_read_is_a_problem_and_hides_nobody_else
    a_directory_that_is_not_there_is_an_error_and_no_empty_listing
}

async fn everyone_is_listed_in_the_directorys_order_with_all_that_it_tells(rig: &dyn Rig) {
    let full = DirectoryPerson {
        user_type: UserType::IamUserSso,
        active: false,
        identity_provider: Some("okta".to_owned()),
        mobile: Some("+8613800138001".to_owned()),
        email: Some("lin@demo.example".to_owned()),
        alias: Some("林薇".to_owned()),
        ..person("z-1", "lin")
    };
    let people = [full, person("a-2", "wu")];
    rig.fill(&people.clone().map(Entry::Person));
    let listing = rig.source().list_people().await.unwrap();
    assert_eq!(listing, Listing { people: people.to_vec(), ..Listing::default() });
}

async fn contact_data_is_passed_on_as_written(rig: &dyn Rig) {
    let odd = DirectoryPerson {
        mobile: Some("138 0013 8001 (ask for Lin)".to_owned()),
        email: Some("not an address".to_owned()),
        ..person("u-1", "lin")
    };
    rig.fill(&[Entry::Person(odd.clone())]);
    assert_eq!(rig.source().list_people().await.unwrap().people, [odd], "the domain judges it");
}

async fn a_listing_asked_for_twice_is_the_same_and_follows_the_directory(rig: &dyn Rig) {
    rig.fill(&[Entry::Person(person("u-1", "lin")), Entry::Person(person("u-2", "wu"))]);
    let first = rig.source().list_people().await.unwrap();
    assert_eq!(rig.source().list_people().await.unwrap(), first);
    rig.fill(&[Entry::Person(person("u-2", "wu.renamed"))]);
    assert_eq!(rig.source().list_people().await.unwrap().people, [person("u-2", "wu.renamed")]);
}

async fn an_external_id_is_listed_once(rig: &dyn Rig) {
    rig.fill(&[Entry::Person(person("u-1", "lin")), Entry::Person(person("u-1", "another"))]);
    let listing = rig.source().list_people().await.unwrap();
    assert_eq!(listing.people, [person("u-1", "lin")]);
    let problem = &listing.problems[0];
    assert_eq!((problem.code, problem.external_id.as_deref()), (ListingProblemCode::Duplicate, Some("u-1")));
}

async fn an_entry_that_cannot_be_read_is_a_problem_and_hides_nobody_else(rig: &dyn Rig) {
    rig.fill(&[
        Entry::Person(person("u-1", "lin")),
        Entry::Unreadable("u-2"),
        Entry::Anyone,
        Entry::Person(person("u-3", "wu")),
    ]);
    let listing = rig.source().list_people().await.unwrap();
    assert_eq!(listing.people, [person("u-1", "lin"), person("u-3", "wu")]);
    let named: Vec<_> = listing.problems.iter().map(|problem| problem.external_id.as_deref()).collect();
    assert_eq!(named, [Some("u-2"), None], "None is what keeps everyone from being taken for gone");
}

async fn a_directory_that_is_not_there_is_an_error_and_no_empty_listing(rig: &dyn Rig) {
    rig.fill(&[Entry::Person(person("u-1", "lin"))]);
    rig.take_away();
    assert!(rig.source().list_people().await.is_err());
}
