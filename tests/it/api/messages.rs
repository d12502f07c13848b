//! What refusals say to a person, in the language that they ask for.

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{ADD, UPDATE, add, entries, sync_people, text};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

both_dbs! {
    refusals_speak_english_or_chinese_and_never_both
    the_language_is_the_best_of_what_is_asked_for
    labels_hints_and_failures_follow_the_language_too
}

/// Words that stand in Chinese sentences as they are.
const KEPT: [&str; 10] = [
    "Webhook",
    "liftOptOut",
    "confirmRemovals",
    "engineerIds",
    "filter",
    "name@example.com",
    "https://",
    "SEC",
    "ASCII",
    "zh-CN",
];

fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// Holds the two sentences of one refusal against what a reader of each language expects.
fn check_sentences(english: &str, chinese: &str) {
    assert!(
        !english.chars().any(is_han) && english.chars().filter(char::is_ascii_alphabetic).count() > 10,
        "{english}"
    );
    assert!(chinese.chars().filter(|c| is_han(*c)).count() > 3, "{chinese}");
    for sentence in [english, chinese] {
        assert!(!sentence.contains(['{', '}', '_']), "no placeholders and no codes: {sentence}");
    }
    let words = KEPT.iter().fold(chinese.to_owned(), |text, kept| text.replace(kept, ""));
    let english_word = words.split(|c: char| !c.is_ascii_alphabetic()).find(|word| word.len() > 2);
    assert_eq!(english_word, None, "English in: {chinese}");
}

/// Every refusal that the answer holds, wherever it is.
fn sentences(data: &Value) -> Vec<String> {
    match data {
        Value::Object(fields) => {
            let own = fields.get("message").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(sentences)).collect()
        }
        Value::Array(all) => all.iter().flat_map(sentences).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// The mutations, asked only for what they say.
const SUBSCRIBE: &str = "mutation($input: SubscribeChannelsInput!) { subscribeChannels(input: $input) {
        outcomes { userError { message } } userErrors { message } } }";
const CANCEL: &str =
    "mutation($input: CancelChannelsInput!) { cancelChannels(input: $input) { userErrors { message } } }";
const DELETE: &str = "mutation($input: DeleteEngineersInput!) { deleteEngineers(input: $input) { outcomes { userError { message } } userErrors { message } } }";
const RESTORE: &str = "mutation($input: RestoreEngineersInput!) { restoreEngineers(input: $input) { outcomes { userError { message } } } }";
const SYNC: &str = "mutation($input: SyncEngineersInput!) { syncEngineers(input: $input) { userErrors { message } } }";
const CONFIRM: &str =
    "mutation($input: ConfirmChannelInput!) { confirmChannel(input: $input) { userErrors { message } } }";

/// An input and more fields of it.
fn with(input: &Value, fields: Value) -> Value {
    let mut input = input.clone();
    input.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    input
}

/// What is refused for all sorts of reasons, once lin is asked on two channels, off is not active, and twice was added by hand.
fn refused_inputs(lin: &Value, off: &Value) -> Vec<(&'static str, Value)> {
    let new = json!({ "name": "new", "userType": "OTHER" });
    let old = json!({ "id": lin });
    let many: Vec<_> = (0..1_001).map(|number| format!("engineer:{number:032x}")).collect();
    vec![
        (ADD, with(&new, json!({ "name": " " }))),
        (ADD, with(&new, json!({ "name": "twice" }))),
        (ADD, with(&new, json!({ "name": "x".repeat(200) }))),
        (ADD, with(&new, json!({ "name": "a\nb", "alias": "a\u{202e}" }))),
        (ADD, with(&new, json!({ "userType": "VIRTUAL_USER_SSO" }))),
        (ADD, with(&new, json!({ "locale": "fr" }))),
        (ADD, with(&new, json!({ "mobile": "13800138001", "endpoints": [{ "kind": "SMS", "value": "13800138002" }] }))),
        (
            ADD,
            with(
                &new,
                json!({ "email": "a@b.example", "endpoints": [{ "kind": "EMAIL", "value": "c@d.example", "secret": "x" }] }),
            ),
        ),
        (ADD, with(&new, json!({ "endpoints": [{ "kind": "LARK" }, { "kind": "LARK" }] }))),
        (UPDATE, with(&old, json!({ "version": 77 }))),
        (UPDATE, json!({ "id": "nonsense" })),
        (DELETE, json!({ "ids": ["nonsense"] })),
        (DELETE, json!({ "ids": many })),
        (RESTORE, json!({ "ids": ["nonsense"] })),
        (SUBSCRIBE, json!({ "engineerIds": ["nonsense"] })),
        (SUBSCRIBE, json!({ "engineerIds": [lin, off], "channels": ["SMS", "EMAIL", "LARK"] })),
        (SUBSCRIBE, json!({})),
        (CANCEL, json!({ "engineerIds": [], "filter": {} })),
        (SYNC, json!({ "directory": "nothing" })),
        (CONFIRM, json!({ "engineerId": lin, "channel": "SMS", "code": "x" })),
        (CONFIRM, json!({ "engineerId": lin, "channel": "LARK", "code": "x" })),
    ]
}

/// Edits of someone whose endpoints are refused, for every reason that there is.
fn refused_endpoints(old: &Value) -> Vec<(&'static str, Value)> {
    let mut table = Vec::new();
    for mobile in ["", "x", "12", "+999123456789", "011 44 20 7946 0958", "99999999999", &"1".repeat(30), "--"] {
        table.push((UPDATE, with(old, json!({ "mobile": mobile }))));
    }
    for email in [
        "",
        "x",
        "a@b@c.d",
        ".a@b.example",
        "a@b",
        "名@b.example",
        "a b@c.example",
        &format!("{}@b.example", "x".repeat(300)),
    ] {
        table.push((UPDATE, with(old, json!({ "email": email }))));
    }
    let lark = "https://open.feishu.cn/open-apis/bot/v2/hook/0123abcd-0123-4567-89ab-012345678e9f";
    for webhook in [
        String::new(),
        lark.replace("https", "http"),
        lark.replace("open.feishu", "me@open.feishu"),
        lark.replace("feishu.cn", "feishu.cn:1"),
        lark.replace("feishu.cn", "feishu.example"),
        lark.replace("hook", "hoook"),
        format!("{lark}#x"),
        format!("{lark}?x=1"),
        format!("{lark}x"),
        format!("{lark} "),
    ] {
        table.push((UPDATE, with(old, json!({ "endpoints": [{ "kind": "LARK", "value": webhook }] }))));
    }
    for secret in ["", "x", "SEC", "SEC x", &format!("SEC{}", "x".repeat(300))] {
        table.push((UPDATE, with(old, json!({ "endpoints": [{ "kind": "DINGTALK", "secret": secret }] }))));
        table.push((UPDATE, with(old, json!({ "endpoints": [{ "kind": "WECOM", "secret": secret }] }))));
    }
    table
}

async fn refusals_speak_english_or_chinese_and_never_both(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    sync_people(
        &app,
        &["u-1,lin,,OTHER,active,+8613800138001,lin@demo.example", "u-2,off,,OTHER,disabled,,off@demo.example"],
    )
    .await;
    let lin = admin.find("lin").await["id"].clone();
    let off = admin.find("off").await["id"].clone();
    add(&admin, json!({ "name": "twice", "userType": "OTHER" })).await;
    admin.data(SUBSCRIBE, json!({ "input": { "engineerIds": [lin], "channels": ["SMS", "EMAIL"] } })).await;
    app.run_workers().await;
    let mut told = 0;
    // The wrong code counts in each language, so what is left to try differs.
    let digits = |text: String| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    for (mutation, input) in refused_inputs(&lin, &off).into_iter().chain(refused_endpoints(&json!({ "id": lin }))) {
        let english = sentences(&admin.data(mutation, json!({ "input": input })).await);
        let chinese = sentences(&app.admin().in_language("zh-CN").data(mutation, json!({ "input": input })).await);
        assert!(!english.is_empty(), "nothing was refused: {input}");
        assert_eq!(english.len(), chinese.len());
        for (english, chinese) in english.into_iter().zip(chinese) {
            check_sentences(&digits(english), &digits(chinese));
            told += 1;
        }
    }
    assert!(told > 60, "{told}");
    let viewer = app.caller(Role::Viewer);
    let english = sentences(&viewer.data(SYNC, json!({ "input": { "directory": "hr" } })).await);
    let chinese = sentences(&viewer.in_language("zh-CN").data(SYNC, json!({ "input": { "directory": "hr" } })).await);
    check_sentences(&english[0], &chinese[0]);
}

async fn the_language_is_the_best_of_what_is_asked_for(database: Database) {
    let app = TestApp::start(database).await;
    let chinese =
        ["zh-CN", "zh", "zh-Hans-CN", "zh-CN,zh;q=0.9,en;q=0.8", "en;q=0.1, zh;q=0.9", "fr, zh;q=0.1", "ZH-cn"];
    let english = ["en", "en-GB", "fr", "zh-TW", "*", "", "en,zh;q=0.9", "zh;q=0", ";;;,,,q=", "zh;q=x"];
    for (languages, is_chinese) in [(chinese.as_slice(), true), (english.as_slice(), false)] {
        for language in languages {
            let refused =
                app.admin().in_language(language).data(UPDATE, json!({ "input": { "id": "nonsense" } })).await;
            let message = text(&refused["updateEngineer"]["userErrors"][0]["message"]);
            assert_eq!(message.chars().any(is_han), is_chinese, "{language}: {message}");
        }
    }
}

async fn labels_hints_and_failures_follow_the_language_too(database: Database) {
    let app = TestApp::start(database).await;
    let forms = "{ channelKinds { kind label fields { name label hint } } }";
    let english = app.admin().data(forms, json!({})).await["channelKinds"].clone();
    let chinese = app.admin().in_language("zh-CN").data(forms, json!({})).await["channelKinds"].clone();
    for (one, other) in entries(&english).iter().zip(entries(&chinese)) {
        assert_eq!(one["kind"], other["kind"]);
        assert!(text(&other["label"]).chars().any(is_han) && !text(&one["label"]).chars().any(is_han), "{one} {other}");
        for (field, translated) in entries(&one["fields"]).iter().zip(entries(&other["fields"])) {
            assert_eq!(field["name"], translated["name"]);
            for part in ["label", "hint"] {
                assert!(!text(&field[part]).chars().any(is_han), "{field}");
                assert!(text(&translated[part]).chars().any(is_han), "{translated}");
            }
        }
    }
    std::fs::write(app.path("hr.csv"), "no,header\n1,2\n").unwrap();
    let run = app.sync("hr", json!({})).await;
    assert_eq!(run["state"], "FAILED", "{run}");
    let failed = "{ directorySyncs { nodes { failureCode failureMessage } } }";
    let english = app.admin().data(failed, json!({})).await["directorySyncs"]["nodes"][0].clone();
    let chinese = app.admin().in_language("zh").data(failed, json!({})).await["directorySyncs"]["nodes"][0].clone();
    assert_eq!(english["failureCode"], "DIRECTORY_REFUSED");
    check_sentences(&text(&english["failureMessage"]), &text(&chinese["failureMessage"]));
}
