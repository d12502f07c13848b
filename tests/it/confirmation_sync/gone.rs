//! What listings lack: when that counts, and when it does not.

use chrono::Duration;
use rollcall::{domain::channel::ChannelKind, port::provider::ProviderStatus};
use serde_json::json;

use super::{email, next_sync, start_with_people, statuses};
use crate::harness::{app::Database, both_dbs, provider::unavailable, roll::status};

both_dbs! {
    who_is_absent_from_two_complete_listings_in_a_row_is_gone
    who_is_back_in_the_second_listing_was_never_gone
    a_partial_listing_downgrades_nobody_however_often_it_is_read
    more_than_a_fifth_missing_stops_it
    more_than_fifty_missing_stops_it
    who_was_asked_after_the_listing_began_is_not_missing
    who_expired_does_not_count_among_the_missing
    a_deleted_person_is_not_missed
}

fn lost(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(email).collect()
}

fn refs(emails: &[String]) -> Vec<&str> {
    emails.iter().map(String::as_str).collect()
}

async fn who_is_absent_from_two_complete_listings_in_a_row_is_gone(database: Database) {
    let (app, provider) = start_with_people(database, 10).await;
    provider.answer(ChannelKind::Email, &email(0), ProviderStatus::Confirmed);
    next_sync(&app).await;
    // Exactly a fifth: one of them CONFIRMED, one PENDING.
    provider.lose(&refs(&lost([0, 1])));
    next_sync(&app).await;
    assert_eq!(statuses(&app, 2).await, ["CONFIRMED", "PENDING"], "once is not enough");
    // A partial listing in between is none.
    provider.fail_lists([Some(unavailable(None))]);
    next_sync(&app).await;
    assert_eq!(statuses(&app, 2).await, ["CONFIRMED", "PENDING"]);
    next_sync(&app).await;
    let all = statuses(&app, 10).await;
    assert_eq!(
        (&all[..2], &all[2..]),
        (&["CANCELLED".to_owned(), "CANCELLED".to_owned()][..], &vec!["PENDING".to_owned(); 8][..])
    );
    let mut changes = app.changes().await.split_off(21);
    changes.sort_unstable();
    assert_eq!(changes, ["EMAIL CONFIRMED>CANCELLED SYNC", "EMAIL PENDING>CANCELLED SYNC"]);
    // Gone is no opt-out: they can be asked again.
    let person = app.admin().find("p-0").await;
    assert_eq!(app.admin().subscribe(&person, "EMAIL").await, Ok(()));
}

async fn who_is_back_in_the_second_listing_was_never_gone(database: Database) {
    let (app, provider) = start_with_people(database, 10).await;
    let missing = lost([3]);
    for _ in 0..3 {
        provider.lose(&refs(&missing));
        next_sync(&app).await;
        provider.regain();
        next_sync(&app).await;
    }
    assert_eq!(statuses(&app, 10).await, ["PENDING"; 10]);
    provider.lose(&refs(&missing));
    next_sync(&app).await;
    next_sync(&app).await;
    assert_eq!(statuses(&app, 10).await[3], "CANCELLED");
}

async fn a_partial_listing_downgrades_nobody_however_often_it_is_read(database: Database) {
    let (app, provider) = start_with_people(database, 10).await;
    provider.page_by(9);
    provider.lose(&refs(&lost([2])));
    for _ in 0..3 {
        // Eight of nine are on the first page, and the second does not come.
        provider.page_by(8);
        provider.fail_lists([None, Some(unavailable(Some(1)))]);
        next_sync(&app).await;
    }
    assert_eq!(statuses(&app, 10).await, ["PENDING"; 10]);
    let person = app.admin().find("p-2").await;
    assert_eq!(app.generations(&person, ChannelKind::Email).await[0].missing_since, None);
}

async fn more_than_a_fifth_missing_stops_it(database: Database) {
    let (app, provider) = start_with_people(database, 10).await;
    provider.lose(&refs(&lost([0, 1, 2])));
    for _ in 0..4 {
        next_sync(&app).await;
    }
    assert_eq!(statuses(&app, 10).await, ["PENDING"; 10]);
    provider.regain();
    provider.lose(&refs(&lost(0..10)));
    for _ in 0..4 {
        next_sync(&app).await;
    }
    assert_eq!(statuses(&app, 10).await, ["PENDING"; 10], "an empty listing least of all");
    provider.regain();
    provider.lose(&refs(&lost([0, 1])));
    next_sync(&app).await;
    next_sync(&app).await;
    assert_eq!(statuses(&app, 3).await, ["CANCELLED", "CANCELLED", "PENDING"], "it works again when the listing does");
}

async fn more_than_fifty_missing_stops_it(database: Database) {
    let (app, provider) = start_with_people(database, 300).await;
    provider.lose(&refs(&lost(0..51)));
    for _ in 0..3 {
        next_sync(&app).await;
    }
    assert!(app.changes().await.iter().all(|change| !change.contains("CANCELLED")), "51 of 300");
    provider.regain();
    provider.lose(&refs(&lost(0..50)));
    next_sync(&app).await;
    assert!(app.changes().await.iter().all(|change| !change.contains("CANCELLED")));
    next_sync(&app).await;
    let gone = app.changes().await.iter().filter(|change| *change == "EMAIL PENDING>CANCELLED SYNC").count();
    assert_eq!(gone, 50);
}

async fn who_was_asked_after_the_listing_began_is_not_missing(database: Database) {
    let (app, provider) = start_with_people(database, 10).await;
    app.clock.advance(Duration::minutes(10));
    provider.hold_listings();
    let services = app.app.services.clone();
    let sync =
        tokio::spawn(async move { services.sync_confirmations_if_due("server", Duration::minutes(10)).await.unwrap() });
    provider.listing_is_held().await;
    let same_moment = app.admin().add("same-moment", json!({ "email": "same@demo.example" })).await;
    app.clock.advance(Duration::seconds(1));
    let later = app.admin().add("later", json!({ "email": "later@demo.example" })).await;
    app.run_worker("hand-over").await.unwrap();
    provider.release_listings();
    // Two accounts: the other one's listing is empty.
    assert_eq!(sync.await.unwrap(), 2);
    for person in [&same_moment, &later] {
        let row = app.generations(person, ChannelKind::Email).await.remove(0);
        assert_eq!((row.phase.as_str(), row.missing_since), ("HELD", None));
        assert_eq!(status(&app.admin().look(person).await, "EMAIL"), "PENDING");
    }
}

async fn who_expired_does_not_count_among_the_missing(database: Database) {
    let (app, provider) = start_with_people(database, 10).await;
    for n in 0..5 {
        provider.answer(ChannelKind::Email, &email(n), ProviderStatus::Confirmed);
    }
    next_sync(&app).await;
    app.clock.advance(Duration::hours(48));
    app.run_workers().await;
    // The provider forgets unanswered requests by and by: that is no alarm, and hides nobody who is gone.
    provider.lose(&refs(&lost([4, 5, 6, 7, 8, 9])));
    next_sync(&app).await;
    next_sync(&app).await;
    let all = statuses(&app, 10).await;
    assert_eq!(all[..5], ["CONFIRMED", "CONFIRMED", "CONFIRMED", "CONFIRMED", "CANCELLED"]);
    assert_eq!(all[5..], ["EXPIRED"; 5]);
}

async fn a_deleted_person_is_not_missed(database: Database) {
    let (app, provider) = start_with_people(database, 10).await;
    let person = app.admin().find("p-0").await;
    app.admin().delete(&person).await;
    provider.lose(&refs(&lost([0])));
    let before = app.changes().await;
    for _ in 0..3 {
        next_sync(&app).await;
    }
    assert_eq!(app.changes().await, before);
    app.admin().restore(&person).await;
    assert_eq!(statuses(&app, 1).await, ["PENDING"], "statuses stay");
    next_sync(&app).await;
    next_sync(&app).await;
    assert_eq!(statuses(&app, 1).await, ["CANCELLED"], "then the rule applies again");
}
