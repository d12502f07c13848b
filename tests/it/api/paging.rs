//! Keyset pages: every entry exactly once, in order, in both directions, while people come and go.

mod list;

use serde_json::{Value, json};

use self::list::{List, Page, check_walks, check_windows};
use super::{add, each, entries, sync_people, text, update};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
};

both_dbs! {
    engineers_page_in_every_order_and_both_directions
    a_page_is_what_its_bounds_say_and_tells_what_lies_beside_it
    engineers_page_on_undisturbed_while_people_come_and_go
    status_changes_page_newest_first_and_new_ones_do_not_shift_them
    directory_syncs_and_their_outcomes_page_in_order
    sizes_and_cursors_that_make_no_sense_are_refused
    a_cursor_is_good_only_for_its_list_in_its_order
}

/// People whose names differ only in case, or not at all, with and without aliases, in several scripts.
const PEOPLE: [&str; 16] = [
    "u-01,lin.wei,林薇,IAM_USER,active,,",
    "u-02,LIN.WEI,,IAM_USER,active,,",
    "u-03,Lin.Wei,wei,IAM_USER,active,,",
    "u-04,lin.wei,WEI,IAM_USER,active,,",
    "u-05,王伟,老王,IAM_USER,active,,",
    "u-06,王伟,,IAM_USER,disabled,,",
    "u-07,张伟,Wei,IAM_USER,active,,",
    "u-08,Ångström,,IAM_USER,active,,",
    "u-09,ångström,Ö,IAM_USER,active,,",
    "u-10,zoë,ö,IAM_USER,active,,",
    "u-11,Zed,,IAM_USER,active,,",
    "u-12,a b,zz,IAM_USER,active,,",
    "u-13,a-b,ZZ,IAM_USER,active,,",
    "u-14,a.b,,IAM_USER,active,,",
    "u-15,_under,,IAM_USER,active,,",
    "u-16,9lives,,IAM_USER,active,,",
];

/// A roll of 22 people who came and changed at different and at equal moments.
async fn fill(app: &TestApp) {
    sync_people(app, &PEOPLE).await;
    let admin = app.admin();
    for name in ["李雷", "Aaron", "éclair", "Éclair", "韩梅梅", "a_b"] {
        app.clock.advance(chrono::Duration::milliseconds(i64::from(name.is_ascii())));
        add(&admin, json!({ "name": name, "userType": "OTHER" })).await;
    }
    app.clock.advance(chrono::Duration::seconds(1));
    for name in ["zoë", "Aaron", "9lives"] {
        let id = admin.find(name).await["id"].clone();
        update(&admin, json!({ "id": id, "locale": "en" })).await;
    }
}

/// The ids of everyone in an order that is computed here.
async fn expect_order(admin: &Caller<'_>, field: &str, descending: bool) -> Vec<String> {
    let all = "{ engineers(first: 100) { nodes { id name alias createdAt updatedAt } } }";
    let data = admin.data(all, json!({})).await;
    let value = |person: &Value| match field {
        "NAME" => text(&person["name"]).to_lowercase(),
        "ALIAS" => person["alias"].as_str().unwrap_or_default().to_lowercase(),
        "UPDATED_AT" => text(&person["updatedAt"]),
        _ => text(&person["createdAt"]),
    };
    let mut people: Vec<_> =
        entries(&data["engineers"]["nodes"]).iter().map(|person| (value(person), text(&person["id"]))).collect();
    people.sort();
    if descending {
        people.reverse();
    }
    people.into_iter().map(|(_, id)| id).collect()
}

async fn engineers_page_in_every_order_and_both_directions(database: Database) {
    let app = TestApp::start(database).await;
    fill(&app).await;
    for field in ["NAME", "ALIAS", "UPDATED_AT", "CREATED_AT"] {
        for direction in ["ASC", "DESC"] {
            let expected = expect_order(&app.admin(), field, direction == "DESC").await;
            assert_eq!(expected.len(), 22);
            check_walks(&List::engineers(app.admin(), field, direction), &expected).await;
        }
    }
    // Left out, the order is by name, and the page has 20 entries.
    let page = List { variables: json!({}), ..List::engineers(app.admin(), "NAME", "ASC") }.page(json!({})).await;
    assert_eq!(page.keys, expect_order(&app.admin(), "NAME", false).await[..20]);
    let page = List { variables: json!({ "order": { "field": "ALIAS" } }), ..List::engineers(app.admin(), "", "") };
    let page = page.page(json!({ "first": null, "last": null, "after": null, "before": null })).await;
    assert_eq!(page.keys, expect_order(&app.admin(), "ALIAS", false).await[..20]);
    assert_eq!((page.previous, page.next, page.total), (false, true, 22));
}

async fn a_page_is_what_its_bounds_say_and_tells_what_lies_beside_it(database: Database) {
    let app = TestApp::start(database).await;
    let nobody = List::engineers(app.admin(), "NAME", "ASC").page(json!({ "last": 5 })).await;
    assert_eq!(nobody, Page { keys: Vec::new(), cursors: Vec::new(), previous: false, next: false, total: 0 });
    fill(&app).await;
    for (field, direction) in [("NAME", "ASC"), ("UPDATED_AT", "DESC")] {
        let expected = expect_order(&app.admin(), field, direction == "DESC").await;
        check_windows(&List::engineers(app.admin(), field, direction), &expected).await;
    }
}

async fn engineers_page_on_undisturbed_while_people_come_and_go(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    for (tag, direction, backward) in
        [("ka", "ASC", false), ("kb", "DESC", false), ("kc", "ASC", true), ("kd", "DESC", true)]
    {
        let mut walk_order: Vec<_> = (1..=12).map(|number| format!("{tag}-{:03}", number * 10)).collect();
        for name in &walk_order {
            add(&admin, json!({ "name": name, "userType": "OTHER" })).await;
        }
        if (direction == "DESC") != backward {
            walk_order.reverse();
        }
        let list = List::engineers(app.admin(), "NAME", direction).named(tag);
        let first = list.page(if backward { json!({ "last": 4 }) } else { json!({ "first": 4 }) }).await;
        let cursor = if backward { first.cursors.first() } else { first.cursors.last() };

        // Someone seen, the one at the cursor, and someone still to come are deleted; one comes behind, and one ahead.
        for name in [&walk_order[1], &walk_order[3], &walk_order[6]] {
            let id = admin.find(name).await["id"].clone();
            let delete = "mutation($id: ID!) { deleteEngineers(input: { ids: [$id] }) { userErrors { code } } }";
            assert_eq!(admin.data(delete, json!({ "id": id })).await["deleteEngineers"]["userErrors"], json!([]));
        }
        for neighbour in [&walk_order[2], &walk_order[9]] {
            add(&admin, json!({ "name": format!("{neighbour}-new"), "userType": "OTHER" })).await;
        }
        let mut expected: Vec<_> = walk_order[..4].to_vec();
        let mut rest: Vec<_> = [4, 5, 7, 8, 9, 10, 11].iter().map(|place| walk_order[*place].clone()).collect();
        rest.push(format!("{}-new", walk_order[9]));
        rest.sort();
        if (direction == "DESC") != backward {
            rest.reverse();
        }
        expected.extend(rest);

        let mut seen = first.keys.clone();
        if backward {
            seen.reverse();
        }
        let mut edge = cursor.cloned();
        while seen.len() < 30 {
            let args =
                if backward { json!({ "last": 3, "before": edge }) } else { json!({ "first": 3, "after": edge }) };
            let mut page = list.page(args).await;
            if backward {
                page.keys.reverse();
                page.cursors.reverse();
            }
            seen.extend(page.keys);
            edge = page.cursors.last().cloned();
            if !(if backward { page.previous } else { page.next }) {
                break;
            }
        }
        assert_eq!(seen, expected, "{direction}, backward: {backward}");
    }
}

async fn status_changes_page_newest_first_and_new_ones_do_not_shift_them(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    sync_people(&app, &["u-1,lin.wei,,IAM_USER,active,,", "u-2,zhang.wei,,IAM_USER,active,,"]).await;
    for (name, mobile) in [("lin.wei", "13800138001"), ("zhang.wei", "13800138002"), ("lin.wei", "13800138003")] {
        app.clock.advance(chrono::Duration::minutes(2));
        let id = admin.find(name).await["id"].clone();
        update(&admin, json!({ "id": id, "mobile": mobile, "email": format!("{mobile}@demo.example") })).await;
        app.run_workers().await;
    }
    // Each edit asks on three channels, and each message goes out.
    let all = "{ statusChanges(first: 100) { nodes { id occurredAt engineerId } totalCount } }";
    let data = admin.data(all, json!({})).await["statusChanges"].clone();
    let moments = each(&data["nodes"], "occurredAt");
    assert!(moments.is_sorted_by(|newer, older| newer >= older), "{moments:?}");
    let expected = each(&data["nodes"], "id");
    assert_eq!(data["totalCount"], 18);
    let list = List::status_changes(app.admin());
    check_walks(&list, &expected).await;
    check_windows(&list, &expected).await;
    let lin = admin.find("lin.wei").await["id"].clone();
    let of_lin = entries(&data["nodes"]).iter().filter(|change| change["engineerId"] == lin);
    let of_lin: Vec<_> = of_lin.map(|change| text(&change["id"])).collect();
    assert_eq!(of_lin.len(), 12);
    let history = List::history_of(app.admin(), &lin);
    check_walks(&history, &of_lin).await;
    check_windows(&history, &of_lin).await;

    let first = list.page(json!({ "first": 5 })).await;
    app.clock.advance(chrono::Duration::minutes(2));
    update(&admin, json!({ "id": lin, "email": null })).await;
    let second = list.page(json!({ "first": 100, "after": first.cursors[4] })).await;
    assert_eq!([first.keys, second.keys].concat(), expected);
    let newer = list.page(json!({ "last": 100, "before": first.cursors[0] })).await;
    assert_eq!((newer.keys.len(), newer.previous, newer.next, newer.total), (1, false, true, 19));
}

async fn directory_syncs_and_their_outcomes_page_in_order(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &PEOPLE);
    let mut expected = Vec::new();
    for _ in 0..9 {
        app.sync("hr", json!({ "dryRun": true })).await;
        app.clock.advance(chrono::Duration::milliseconds(1));
        let newest = app.admin().data("{ directorySyncs(first: 1) { nodes { id } } }", json!({})).await;
        expected.insert(0, text(&newest["directorySyncs"]["nodes"][0]["id"]));
    }
    let list = List::directory_syncs(app.admin());
    check_walks(&list, &expected).await;
    check_windows(&list, &expected).await;
    let in_order: Vec<_> = (1..=16).map(|number| format!("u-{number:02}")).collect();
    let outcomes = List::outcomes(app.admin(), &expected[0]);
    check_walks(&outcomes, &in_order).await;
    check_windows(&outcomes, &in_order).await;

    let cursor = outcomes.page(json!({ "first": 1 })).await.cursors[0].clone();
    let (code, _) = List::outcomes(app.admin(), &expected[1]).refusal(json!({ "after": cursor })).await;
    assert_eq!(code, "BAD_USER_INPUT", "a cursor of another run");
}

async fn sizes_and_cursors_that_make_no_sense_are_refused(database: Database) {
    let app = TestApp::start(database).await;
    fill(&app).await;
    app.sync("hr", json!({})).await;
    let by_name = List::engineers(app.admin(), "NAME", "ASC");
    let sync = List::directory_syncs(app.admin()).page(json!({ "first": 1 })).await;
    let outcomes = List::outcomes(app.admin(), &sync.keys[0]);
    for list in [by_name, List::status_changes(app.admin()), List::directory_syncs(app.admin()), outcomes] {
        let refused = |args| async { list.refusal(args).await };
        assert_eq!(refused(json!({ "first": 1, "last": 1 })).await.0, "BAD_USER_INPUT");
        assert_eq!(refused(json!({ "first": 0, "last": 0 })).await.0, "BAD_USER_INPUT");
        for name in ["first", "last"] {
            for size in [101, -1, i32::MIN, i32::MAX] {
                let (code, message) = refused(json!({ name: size })).await;
                assert_eq!(code, "BAD_USER_INPUT");
                assert!(message.contains(name) && message.contains(&size.to_string()), "{message}");
                assert!(message.contains("100"), "it names the limit: {message}");
            }
        }
        for name in ["after", "before"] {
            for cursor in ["", "garbage", "6", "bmFtZXw", "\u{0}", "名", "====", &"A".repeat(5_000)] {
                let (code, message) = refused(json!({ name: cursor })).await;
                assert_eq!(code, "BAD_USER_INPUT", "{cursor}");
                assert!(message.starts_with(name), "{message}");
            }
        }
    }
}

async fn a_cursor_is_good_only_for_its_list_in_its_order(database: Database) {
    let app = TestApp::start(database).await;
    fill(&app).await;
    let sync = List::directory_syncs(app.admin()).page(json!({ "first": 1 })).await;
    let mut cursors = vec![sync.cursors[0].clone()];
    for (field, direction) in [("NAME", "DESC"), ("ALIAS", "ASC"), ("UPDATED_AT", "ASC"), ("CREATED_AT", "ASC")] {
        cursors
            .push(List::engineers(app.admin(), field, direction).page(json!({ "first": 1 })).await.cursors[0].clone());
    }
    for foreign in cursors {
        let by_name = List::engineers(app.admin(), "NAME", "ASC");
        assert_eq!(by_name.refusal(json!({ "after": foreign })).await.0, "BAD_USER_INPUT", "of another order");
    }
}
