//! The helpers of `examples/clients` outlive their token, and the event log that their cursor belongs to.

use std::fs;

use chrono::Duration;
use rollcall::domain::actor::Role;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::HELPERS;
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
    script::Follower,
};

both_dbs! {
    each_helper_goes_on_with_a_new_token_when_its_token_ended
    each_helper_reads_the_snapshot_anew_when_its_cursor_is_of_another_log
}

/// Sets or clears the webhook of the only person. Gives the id of the change.
async fn change(app: &TestApp, number: usize) -> Value {
    let person = app.admin().find("lin").await;
    let webhook = format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-{number:012}");
    let variables = json!({ "id": person["id"], "webhook": number.is_multiple_of(2).then_some(webhook) });
    let update = "mutation($id: ID!, $webhook: String) {
        updateEngineer(input: { id: $id, endpoints: [{ kind: WECOM, value: $webhook }] }) {
            engineer { statusChanges(first: 1) { nodes { id } } } userErrors { code } } }";
    let mut data = app.admin().data(update, variables).await;
    assert_eq!(data["updateEngineer"]["userErrors"], json!([]));
    data["updateEngineer"]["engineer"]["statusChanges"]["nodes"][0]["id"].take()
}

/// A server with one person and everyone's followers, who read their snapshot. Their token ends after ten minutes.
async fn start(database: Database) -> (TestApp, Vec<Follower>) {
    let app = TestApp::start(database).await;
    let add = "mutation { addEngineer(input: { name: \"lin\", userType: IAM_USER }) { engineer { id } } }";
    app.admin().data(add, json!({})).await;
    renew_token(&app, Duration::minutes(10));
    let command = format!("cat '{}'", app.path("token").display());
    let mut followers: Vec<_> =
        HELPERS.into_iter().filter_map(|helper| Follower::start(helper, app.address, &command)).collect();
    for follower in &mut followers {
        follower.next("snapshot").await;
    }
    (app, followers)
}

/// Writes the token that followers get from now on.
fn renew_token(app: &TestApp, ttl: Duration) {
    let token = app.token_for("demo", &[Role::Viewer], None, ttl);
    fs::write(app.path("token"), token).expect("writing the token");
}

/// Everyone sees this change next.
async fn expect_change(followers: &mut [Follower], id: &Value) {
    for follower in followers {
        assert_eq!(follower.next("change").await["id"], *id, "{}", follower.helper);
    }
}

async fn each_helper_goes_on_with_a_new_token_when_its_token_ended(database: Database) {
    let (app, mut followers) = start(database).await;
    let first = change(&app, 0).await;
    expect_change(&mut followers, &first).await;
    let asked: Vec<_> = followers.iter().map(|follower| follower.tokens).collect();

    renew_token(&app, Duration::hours(2));
    app.clock.advance(Duration::hours(1));
    for number in 1..4 {
        let next = change(&app, number).await;
        expect_change(&mut followers, &next).await;
    }
    for (follower, asked) in followers.into_iter().zip(asked) {
        assert!(follower.tokens > asked, "{} went on with a token that ended", follower.helper);
        follower.end().await;
    }
}

async fn each_helper_reads_the_snapshot_anew_when_its_cursor_is_of_another_log(database: Database) {
    let (app, mut followers) = start(database).await;
    let first = change(&app, 0).await;
    expect_change(&mut followers, &first).await;

    let store = app.app.services.store();
    let epoch =
        if store.is_embedded() { "x'00000000000000000000000000000009'" } else { "'00000000000000000000000000000009'" };
    let restored = format!("UPDATE account SET epoch = {epoch}");
    store.migration_connection().execute_unprepared(&restored).await.expect("a new epoch");
    // What makes the server look at its log; it comes with the snapshot.
    change(&app, 1).await;
    for follower in &mut followers {
        let cursor = follower.next("snapshot").await;
        assert!(cursor.as_str().expect("a cursor").starts_with(&"0".repeat(31)), "{cursor} is of the old log");
    }
    let next = change(&app, 2).await;
    expect_change(&mut followers, &next).await;
}
