//! Making, listing and revoking keys.

use serde_json::{Value, json};

use super::{Made, create, make, other_admin, revoke, text};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

both_dbs! {
    a_key_is_shown_once_and_listed_without_itself
    everything_wrong_with_a_key_is_told_at_once
    a_key_dies_by_itself_when_its_time_is_over
    revoking_tells_of_each_id_and_keeps_the_first_revocation
    a_key_of_another_account_reads_like_an_unknown_one
    keys_page_newest_first
}

const LIST: &str =
    "{ apiKeys { totalCount nodes { id label role state createdBy createdAt expiresAt revokedAt revokedBy
    lastUsedAt } } }";

async fn a_key_is_shown_once_and_listed_without_itself(database: Database) {
    let app = TestApp::start(database).await;
    let made = create(&app.admin(), json!({ "label": "  wall, hall 2 ", "role": "VIEWER" })).await;
    let key = text(&made["key"]);
    assert!(key.starts_with("rck_") && key.len() == 52, "{key}");
    let known = &made["apiKey"];
    assert_eq!((&known["label"], &known["role"]), (&json!("wall, hall 2"), &json!("VIEWER")));
    assert_eq!((&known["state"], &known["createdBy"]), (&json!("ACTIVE"), &json!("tester")));
    for field in ["expiresAt", "revokedAt", "revokedBy", "lastUsedAt"] {
        assert_eq!(known[field], Value::Null, "{field}");
    }
    let listed = app.admin().data(LIST, json!({})).await["apiKeys"].clone();
    assert_eq!(listed["nodes"], json!([known]));
    assert!(!listed.to_string().contains(&key[4..]));
    let again = make(&app.admin(), "VIEWER").await;
    assert_ne!(again.key, key);
}

async fn everything_wrong_with_a_key_is_told_at_once(database: Database) {
    let app = TestApp::start(database).await;
    let long = "x".repeat(65);
    let labels = [("", "EMPTY"), ("  ", "EMPTY"), ("a\nb", "CONTROL_CHARACTER"), ("a\u{202e}b", "INVISIBLE_CHARACTER")];
    let now = "2020-01-01T00:00:00Z";
    for (label, reason) in labels {
        let refused = create(&app.admin(), json!({ "label": label, "role": "ENGINEER", "expiresAt": now })).await;
        assert_eq!((&refused["key"], &refused["apiKey"]), (&Value::Null, &Value::Null));
        let told: Vec<_> = refused["userErrors"].as_array().unwrap().iter().collect();
        let shown: Vec<_> =
            told.iter().map(|error| (&error["code"], &error["field"], &error["params"][0]["value"])).collect();
        let invalid = json!("INVALID_VALUE");
        assert_eq!(
            shown,
            [
                (&invalid, &json!(["label"]), &json!(reason)),
                (&invalid, &json!(["role"]), &json!("NOBODYS_ROLE")),
                (&invalid, &json!(["expiresAt"]), &json!("NOT_AHEAD")),
            ]
        );
    }
    let refused = create(&app.admin(), json!({ "label": long, "role": "VIEWER" })).await;
    assert_eq!(
        (&refused["userErrors"][0]["code"], &refused["userErrors"][0]["field"]),
        (&json!("TOO_LONG"), &json!(["label"]))
    );
    assert_eq!(app.admin().data(LIST, json!({})).await["apiKeys"]["totalCount"], 0);
    let longest = create(&app.admin(), json!({ "label": "张".repeat(64), "role": "VIEWER" })).await;
    assert_eq!(longest["userErrors"], json!([]));
}

async fn a_key_dies_by_itself_when_its_time_is_over(database: Database) {
    let app = TestApp::start(database).await;
    let now = text(&make_timed(&app, None).await.1["createdAt"]);
    let in_an_hour = now.parse::<chrono::DateTime<chrono::Utc>>().unwrap() + chrono::Duration::hours(1);
    let (made, known) = make_timed(&app, Some(in_an_hour)).await;
    let holder = app.caller_with(made.key);
    let shown = holder.data("{ viewer { tokenExpiresAt } }", json!({})).await;
    assert_eq!(shown["viewer"]["tokenExpiresAt"], known["expiresAt"]);
    app.clock.advance(chrono::Duration::hours(1) - chrono::Duration::milliseconds(1));
    holder.data("{ liveCursor }", json!({})).await;
    app.clock.advance(chrono::Duration::milliseconds(1));
    assert_eq!(holder.execute("{ liveCursor }", json!({})).await.0, 401);
    let listed = app.admin().data(LIST, json!({})).await["apiKeys"]["nodes"].clone();
    let states: Vec<_> = listed.as_array().unwrap().iter().map(|key| (&key["id"], &key["state"])).collect();
    assert!(states.contains(&(&json!(made.id), &json!("EXPIRED"))), "{states:?}");
}

async fn make_timed(app: &TestApp, end: Option<chrono::DateTime<chrono::Utc>>) -> (Made, Value) {
    let end = end.map(|end| end.to_rfc3339());
    let made = create(&app.admin(), json!({ "label": "timed", "role": "VIEWER", "expiresAt": end })).await;
    assert_eq!(made["userErrors"], json!([]));
    (Made { key: text(&made["key"]), id: text(&made["apiKey"]["id"]) }, made["apiKey"].clone())
}

async fn revoking_tells_of_each_id_and_keeps_the_first_revocation(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let (one, two) = (make(&admin, "VIEWER").await, make(&admin, "ADMIN").await);
    let deputy = app.caller_with(two.key.clone());
    let made = create(&deputy, json!({ "label": "by a key", "role": "OPERATOR" })).await;
    assert_eq!(made["apiKey"]["createdBy"], two.id.as_str(), "a key goes by its id");
    let unknown = "api-key:00000000000070008000000000000000";
    let engineer = "engineer:00000000000070008000000000000000";
    let done = revoke(&admin, &[&one.id, unknown, engineer, "junk", &one.id]).await;
    assert_eq!(done["apiKeys"][0]["id"], one.id.as_str());
    assert_eq!((&done["apiKeys"][0]["state"], &done["apiKeys"][0]["revokedBy"]), (&json!("REVOKED"), &json!("tester")));
    let outcomes = done["outcomes"].as_array().unwrap();
    assert_eq!(outcomes.len(), 4, "each id once");
    assert_eq!(outcomes[0], json!({ "apiKeyId": one.id, "userError": null }));
    for (place, outcome) in outcomes.iter().enumerate().skip(1) {
        assert_eq!(outcome["userError"]["code"], "NOT_FOUND");
        assert_eq!(outcome["userError"]["field"], json!(["ids", place.to_string()]));
        assert_eq!(outcome["userError"]["message"], "There is no such API key.");
    }
    app.clock.advance(chrono::Duration::hours(1));
    let again = revoke(&deputy, &[&one.id, &two.id]).await;
    assert_eq!(again["apiKeys"][0], done["apiKeys"][0], "the first revocation stays");
    assert_eq!(again["apiKeys"][1]["revokedBy"], two.id.as_str(), "a key can end itself");
    assert_eq!(deputy.execute("{ liveCursor }", json!({})).await.0, 401);
    let many: Vec<_> = (0..1_001).map(|number| format!("api-key:{number:032x}")).collect();
    let refused = revoke(&admin, &many.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!((&refused["userErrors"][0]["code"], &refused["outcomes"]), (&json!("INVALID_VALUE"), &json!([])));
}

async fn a_key_of_another_account_reads_like_an_unknown_one(database: Database) {
    let app = TestApp::start(database).await;
    let made = make(&app.admin(), "ADMIN").await;
    let other = other_admin(&app);
    assert_eq!(other.data(LIST, json!({})).await["apiKeys"], json!({ "totalCount": 0, "nodes": [] }));
    let unknown = "api-key:00000000000070008000000000000000";
    let node = "query($id: ID!) { node(id: $id) { __typename id } }";
    let mut answers = Vec::new();
    for id in [made.id.as_str(), unknown] {
        let (seen, revoked) = (other.data(node, json!({ "id": id })).await, revoke(&other, &[id]).await);
        answers.push((seen, revoked.to_string().replace(id, "")));
    }
    assert_eq!(answers[0], answers[1]);
    let holder = app.caller_with(made.key);
    let seen = holder.data("{ viewer { account { id } } }", json!({})).await;
    assert_eq!(seen["viewer"]["account"]["id"], "demo", "the key is still good, in its own account");
    let shown = app.admin().data(node, json!({ "id": made.id })).await;
    assert_eq!(shown["node"], json!({ "__typename": "ApiKey", "id": made.id }));
}

async fn keys_page_newest_first(database: Database) {
    let app = TestApp::start(database).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        app.clock.advance(chrono::Duration::milliseconds(1));
        made.push(make(&app.admin(), "VIEWER").await.id);
    }
    made.reverse();
    let page = "query($after: String) { apiKeys(first: 2, after: $after) { totalCount nodes { id }
        pageInfo { hasNextPage endCursor } } }";
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let read = app.admin().data(page, json!({ "after": after })).await["apiKeys"].clone();
        assert_eq!(read["totalCount"], 5);
        seen.extend(read["nodes"].as_array().unwrap().iter().map(|node| text(&node["id"])));
        after = read["pageInfo"]["endCursor"].clone();
        if read["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen, made);
    let last = app.admin().data("{ apiKeys(last: 2) { nodes { id } } }", json!({})).await;
    let last: Vec<_> = last["apiKeys"]["nodes"].as_array().unwrap().iter().map(|node| text(&node["id"])).collect();
    assert_eq!(last, made[3..]);
}
