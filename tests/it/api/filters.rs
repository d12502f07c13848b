//! Search and filters of the roll.

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{add, each, entries, stranger_admin, sync_people, text, update};
use crate::harness::{
    app::{Caller, Database, TestApp, channel},
    both_dbs,
};

both_dbs! {
    search_finds_parts_of_names_and_aliases_in_any_case_and_script
    search_takes_every_character_for_itself
    mobiles_and_mail_addresses_are_found_only_by_those_who_may_see_them
    statuses_filter_by_one_channel_or_by_any
    states_directories_and_ids_filter
    all_that_is_given_must_hold
    an_empty_list_matches_nobody_and_nothing_given_matches_everyone
    filters_that_ask_for_too_much_are_refused
}

const FILTERED: &str = "query($filter: EngineerFilter) { engineers(filter: $filter, first: 100) {
    nodes { name } totalCount } }";

/// The names of everyone whom a filter lets through, in the order of names.
async fn names(caller: &Caller<'_>, filter: Value) -> Vec<String> {
    let found = caller.data(FILTERED, json!({ "filter": filter })).await["engineers"].clone();
    let names = each(&found["nodes"], "name");
    assert_eq!(found["totalCount"], names.len(), "{filter}");
    names
}

async fn search_finds_parts_of_names_and_aliases_in_any_case_and_script(database: Database) {
    let app = TestApp::start(database).await;
    sync_people(
        &app,
        &[
            "u-1,lin.wei,林薇,IAM_USER,active,,",
            "u-2,LINDA,Weiler,IAM_USER,active,,",
            "u-3,王小明,小明,IAM_USER,active,,",
            "u-4,王大明,,IAM_USER,active,,",
            "u-5,Ümlaut,ÉCOLE,IAM_USER,active,,",
            "u-6,ЖАННА,Łódź,IAM_USER,active,,",
        ],
    )
    .await;
    let table: [(&str, &[&str]); 17] = [
        ("lin", &["LINDA", "lin.wei"]),
        ("LIN", &["LINDA", "lin.wei"]),
        ("WEI", &["LINDA", "lin.wei"]),
        ("n.w", &["lin.wei"]),
        ("  lin.wei  ", &["lin.wei"]),
        ("林", &["lin.wei"]),
        ("小明", &["王小明"]),
        ("明", &["王大明", "王小明"]),
        ("王", &["王大明", "王小明"]),
        ("王明", &[]),
        ("üML", &["Ümlaut"]),
        ("école", &["Ümlaut"]),
        ("жанна", &["ЖАННА"]),
        ("łÓD", &["ЖАННА"]),
        ("u-1", &[]),
        ("nobody", &[]),
        ("lin wei", &[]),
    ];
    for role in [Role::Viewer, Role::Admin] {
        for (search, expected) in table {
            let mut found = names(&app.caller(role), json!({ "search": search })).await;
            found.sort();
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            assert_eq!(found, expected, "{search}");
        }
        for blank in ["", "   ", "\t"] {
            assert_eq!(names(&app.caller(role), json!({ "search": blank })).await.len(), 6, "blank is no search");
        }
    }
}

async fn search_takes_every_character_for_itself(database: Database) {
    let app = TestApp::start(database).await;
    let odd = [
        "100%",
        "100x",
        "a_b",
        "axb",
        "wow!",
        "O'Brien",
        "say \"hi\"",
        "back\\slash",
        "(x)",
        "[y]",
        "a*b",
        "q?",
        "semi;--",
    ];
    for name in odd {
        add(&app.admin(), json!({ "name": name, "userType": "OTHER", "mobile": "13800138000" })).await;
    }
    let table: [(&str, &[&str]); 17] = [
        ("%", &["100%"]),
        ("100_", &[]),
        ("_", &["a_b"]),
        ("a_b", &["a_b"]),
        ("!", &["wow!"]),
        ("!!", &[]),
        ("!%", &[]),
        ("'", &["O'Brien"]),
        ("o'b", &["O'Brien"]),
        ("\"", &["say \"hi\""]),
        ("\\", &["back\\slash"]),
        ("\\%", &[]),
        ("[y]", &["[y]"]),
        ("*", &["a*b"]),
        ("?", &["q?"]),
        (";--", &["semi;--"]),
        ("(", &["(x)"]),
    ];
    for role in [Role::Viewer, Role::Admin] {
        for (search, expected) in table {
            assert_eq!(names(&app.caller(role), json!({ "search": search })).await, expected, "{search}");
        }
        // Separators of phone numbers alone are no part of a number.
        for separators in ["-", " - ", "()", "+"] {
            let found = names(&app.caller(role), json!({ "search": separators })).await;
            assert_eq!(
                found,
                if separators == "-" || separators == " - " { vec!["semi;--"] } else { vec![] },
                "{separators}"
            );
        }
        // No text holds the character that PostgreSQL does not store.
        assert_eq!(names(&app.caller(role), json!({ "search": "a\u{0}b" })).await, [""; 0]);
        assert_eq!(names(&app.caller(role), json!({ "directory": "h\u{0}r" })).await, [""; 0]);
    }
}

async fn mobiles_and_mail_addresses_are_found_only_by_those_who_may_see_them(database: Database) {
    let app = TestApp::start(database).await;
    sync_people(
        &app,
        &[
            "u-1,lin.wei,,IAM_USER,active,+8613800138001,Lin.Wei@Demo.Example",
            "u-2,zhang.wei,,IAM_USER,active,+8613900139002,zhang@demo.example",
            "u-3,john,,IAM_USER,active,+442079460958,",
        ],
    )
    .await;
    let contacts: [(&str, &[&str]); 16] = [
        ("13800138001", &["lin.wei"]),
        ("+8613800138001", &["lin.wei"]),
        ("+86 138 0013 8001", &["lin.wei"]),
        ("138-0013-8001", &["lin.wei"]),
        ("(138) 0013.8001", &["lin.wei"]),
        ("１３８００１３８００１", &["lin.wei"]),
        ("+44 20 7946 0958", &["john"]),
        ("8001", &["lin.wei"]),
        ("+86", &["lin.wei", "zhang.wei"]),
        ("demo.example", &["lin.wei", "zhang.wei"]),
        ("LIN.WEI@DEMO", &["lin.wei"]),
        ("@", &["lin.wei", "zhang.wei"]),
        ("zhang@demo.example", &["zhang.wei"]),
        ("1380013800199", &[]),
        ("8001 x", &[]),
        ("@other.example", &[]),
    ];
    for (search, expected) in contacts {
        let filter = json!({ "search": search });
        assert_eq!(names(&app.admin(), filter.clone()).await, expected, "{search}");
        assert_eq!(names(&app.caller(Role::Operator), filter.clone()).await, expected, "{search}");
        assert_eq!(names(&app.caller(Role::Viewer), filter.clone()).await, [""; 0], "{search}");
        assert_eq!(names(&stranger_admin(&app), filter).await, [""; 0], "{search}");
    }
    let lin = text(&app.admin().find("lin.wei").await["id"]);
    let herself = app.engineer(&lin);
    assert_eq!(names(&herself, json!({})).await, ["lin.wei"]);
    assert_eq!(names(&herself, json!({ "search": "+86" })).await, ["lin.wei"]);
    assert_eq!(names(&herself, json!({ "search": "zhang" })).await, [""; 0]);
    let zhang = app.admin().find("zhang.wei").await["id"].clone();
    assert_eq!(names(&herself, json!({ "ids": [zhang] })).await, [""; 0]);
}

/// Four people: nobody asked, asked on one channel, with a robot, and without any endpoint.
async fn fill_statuses(app: &TestApp) {
    sync_people(
        app,
        &[
            "u-1,asked,,IAM_USER,active,,",
            "u-2,empty,,IAM_USER,active,,",
            "u-3,quiet,,IAM_USER,active,+8613800138001,quiet@demo.example",
            "u-4,robot,,IAM_USER,disabled,,robot@demo.example",
        ],
    )
    .await;
    let asked = app.admin().find("asked").await["id"].clone();
    update(&app.admin(), json!({ "id": asked, "email": "asked@demo.example" })).await;
    app.run_workers().await;
    let robot = app.admin().find("robot").await["id"].clone();
    let webhook = "https://open.feishu.cn/open-apis/bot/v2/hook/0123abcd-0123-4567-89ab-0123456789ab";
    update(&app.admin(), json!({ "id": robot, "endpoints": [{ "kind": "LARK", "value": webhook }] })).await;
}

async fn statuses_filter_by_one_channel_or_by_any(database: Database) {
    let app = TestApp::start(database).await;
    fill_statuses(&app).await;
    let admin = app.admin();
    assert_eq!(channel(&admin.find("asked").await, "EMAIL")["status"], "PENDING");
    let table: [(Option<&str>, &[&str], &[&str]); 13] = [
        (Some("EMAIL"), &["PENDING"], &["asked"]),
        (Some("EMAIL"), &["UNSUBSCRIBED"], &["quiet", "robot"]),
        (Some("EMAIL"), &["NOT_CONFIGURED"], &["empty"]),
        (Some("EMAIL"), &["NOT_CONFIGURED", "PENDING"], &["asked", "empty"]),
        (Some("SMS"), &["NOT_CONFIGURED"], &["asked", "empty", "robot"]),
        (Some("SMS"), &["PENDING"], &[]),
        (Some("LARK"), &["NOT_REQUIRED"], &["robot"]),
        (Some("LARK"), &["NOT_CONFIGURED"], &["asked", "empty", "quiet"]),
        (None, &["NOT_REQUIRED"], &["robot"]),
        (None, &["UNSUBSCRIBED", "PENDING"], &["asked", "quiet", "robot"]),
        (None, &["NOT_CONFIGURED"], &["asked", "empty", "quiet", "robot"]),
        (None, &["CONFIRMED"], &[]),
        (None, &[], &[]),
    ];
    for (kind, statuses, expected) in table {
        let filter = json!({ "channel": kind, "statusIn": statuses });
        assert_eq!(names(&admin, filter.clone()).await, expected, "{filter}");
    }
    assert_eq!(names(&admin, json!({ "channel": "EMAIL" })).await.len(), 4, "a channel alone narrows nothing");
}

async fn states_directories_and_ids_filter(database: Database) {
    let app = TestApp::start(database).await;
    fill_statuses(&app).await;
    let admin = app.admin();
    add(&admin, json!({ "name": "by.hand", "userType": "OTHER" })).await;
    app.write_directory("contractors", &["c-1,contractor,,OTHER,active,,", "c-2,left,,OTHER,active,,"]);
    app.sync("contractors", json!({})).await;
    app.write_directory("contractors", &["c-1,contractor,,OTHER,active,,"]);
    app.sync("contractors", json!({ "confirmRemovals": true })).await;
    let deleted = add(&admin, json!({ "name": "deleted", "userType": "OTHER" })).await["id"].clone();
    let delete = "mutation($id: ID!) { deleteEngineers(input: { ids: [$id] }) { deletedEngineerIds } }";
    assert_eq!(
        admin.data(delete, json!({ "id": deleted })).await["deleteEngineers"]["deletedEngineerIds"],
        json!([deleted])
    );

    let table: [(Value, &[&str]); 9] = [
        (json!({ "directoryStateIn": ["DISABLED"] }), &["robot"]),
        (json!({ "directoryStateIn": ["GONE"] }), &["left"]),
        (json!({ "directoryStateIn": ["GONE", "DISABLED"] }), &["left", "robot"]),
        (json!({ "directory": "contractors" }), &["contractor", "left"]),
        (json!({ "directory": "hr" }), &["asked", "empty", "quiet", "robot"]),
        (json!({ "directory": "HR" }), &[]),
        (json!({ "directory": "h" }), &[]),
        (json!({ "directory": "%" }), &[]),
        (json!({ "directory": "" }), &[]),
    ];
    for (filter, expected) in table {
        assert_eq!(names(&admin, filter.clone()).await, expected, "{filter}");
    }
    let id = |name: &'static str| async { text(&app.admin().find(name).await["id"]) };
    let (quiet, robot) = (id("quiet").await, id("robot").await);
    let ids = json!([robot, quiet, robot, deleted, "engineer:ffffffffffffffffffffffffffffffff", "nonsense", ""]);
    assert_eq!(names(&admin, json!({ "ids": ids })).await, ["quiet", "robot"]);
    assert_eq!(names(&stranger_admin(&app), json!({ "ids": ids })).await, [""; 0]);
}

async fn all_that_is_given_must_hold(database: Database) {
    let app = TestApp::start(database).await;
    fill_statuses(&app).await;
    let (quiet, robot) = (app.admin().find("quiet").await["id"].clone(), app.admin().find("robot").await["id"].clone());
    let of = async |filter| names(&app.admin(), filter).await;
    let all = json!({ "ids": [quiet, robot], "directory": "hr", "directoryStateIn": ["ACTIVE"], "search": "i", "channel": "SMS",
        "statusIn": ["UNSUBSCRIBED"], "reachabilityIn": ["UNREACHABLE"] });
    assert_eq!(of(all.clone()).await, ["quiet"]);
    for (field, other) in [
        ("directory", json!("contractors")),
        ("directoryStateIn", json!(["GONE"])),
        ("search", json!("robot")),
        ("statusIn", json!(["PENDING"])),
        ("reachabilityIn", json!(["REACHABLE"])),
        ("ids", json!([robot])),
    ] {
        let mut filter = all.clone();
        filter[field] = other;
        assert_eq!(of(filter).await, [""; 0], "{field}");
    }
}

async fn an_empty_list_matches_nobody_and_nothing_given_matches_everyone(database: Database) {
    let app = TestApp::start(database).await;
    fill_statuses(&app).await;
    let admin = app.admin();
    for field in ["ids", "statusIn", "reachabilityIn", "directoryStateIn"] {
        assert_eq!(names(&admin, json!({ field: [] })).await, [""; 0], "{field}");
        assert_eq!(names(&admin, json!({ field: null })).await.len(), 4, "{field}");
    }
    assert_eq!(names(&admin, json!({})).await.len(), 4);
    assert_eq!(names(&admin, Value::Null).await.len(), 4);
    let changes = "query($filter: StatusChangeFilter) { statusChanges(filter: $filter, first: 100) {
        nodes { channel to cause engineer { name } } totalCount } }";
    let of =
        async |filter: Value| app.admin().data(changes, json!({ "filter": filter })).await["statusChanges"].clone();
    let all = of(Value::Null).await;
    let told: Vec<_> = entries(&all["nodes"])
        .iter()
        .map(|node| format!("{} {} {}", node["channel"], node["to"], node["cause"]))
        .collect();
    assert_eq!(
        told,
        [
            r#""LARK" "NOT_REQUIRED" "EDIT""#,
            r#""EMAIL" "PENDING" "PROVIDER_ACCEPTED""#,
            r#""EMAIL" "REQUESTED" "EDIT""#
        ]
    );
    for field in ["engineerIds", "channelIn", "toIn", "causeIn"] {
        assert_eq!(of(json!({ field: [] })).await, json!({ "nodes": [], "totalCount": 0 }), "{field}");
    }
    assert_eq!(of(json!({ "channelIn": ["EMAIL", "SMS"], "causeIn": ["EDIT"] })).await["nodes"][0]["to"], "REQUESTED");
    assert_eq!(of(json!({ "toIn": ["NOT_REQUIRED"] })).await["nodes"][0]["engineer"]["name"], "robot");
    let asked = admin.find("asked").await["id"].clone();
    assert_eq!(of(json!({ "engineerIds": [asked, "nonsense"] })).await["totalCount"], 2);
}

async fn filters_that_ask_for_too_much_are_refused(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let id = |number: usize| format!("engineer:{number:032x}");
    let ids = |count: usize| (0..count).map(id).collect::<Vec<_>>();
    assert_eq!(names(&admin, json!({ "ids": ids(1_000) })).await, [""; 0]);
    assert_eq!(names(&admin, json!({ "search": "名".repeat(200) })).await, [""; 0]);
    for filter in [json!({ "ids": ids(1_001) }), json!({ "search": "名".repeat(201) })] {
        assert_eq!(admin.error(FILTERED, json!({ "filter": filter })).await, "BAD_USER_INPUT");
    }
}
