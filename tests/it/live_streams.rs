//! Live streams over real WebSockets: nothing is lost, nothing comes twice, and nobody follows longer than they may.

mod filters;
mod race;
mod resume;
mod rights;
mod roll;
mod stalled;
mod storm;

use serde_json::{Value, json};

use crate::harness::{
    app::{Caller, TestApp},
    socket::Socket,
};

/// Each status change, with all that it tells.
const CHANGES: &str = "subscription($after: String, $filter: StatusChangeFilter) {
    confirmationStatusChanged(after: $after, filter: $filter) {
        cursor id occurredAt engineerId channel from to cause } }";

/// Each change of an engineer, with all that it tells.
const ENGINEERS: &str = "subscription($after: String, $filter: EngineerFilter) {
    engineerChanged(after: $after, filter: $filter) {
        cursor occurredAt kind engineerId engineer { id name mobile email } directorySync { id state } count } }";

const ADD: &str = "mutation($input: AddEngineerInput!) { addEngineer(input: $input) {
    engineer { id } userErrors { code field message } } }";

const UPDATE: &str = "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) {
    engineer { id } userErrors { code field message } } }";

/// Adds someone. Gives the id.
async fn add(caller: &Caller<'_>, name: &str) -> String {
    let data = caller.data(ADD, json!({ "input": { "name": name, "userType": "IAM_USER" } })).await;
    assert_eq!(data["addEngineer"]["userErrors"], json!([]));
    text(&data["addEngineer"]["engineer"]["id"])
}

/// Edits someone, whatever their version is.
async fn edit(caller: &Caller<'_>, id: &str, fields: Value) {
    let mut input = fields;
    input["id"] = json!(id);
    let data = caller.data(UPDATE, json!({ "input": input })).await;
    assert_eq!(data["updateEngineer"]["userErrors"], json!([]), "{input}");
}

/// Runs `deleteEngineers` or `restoreEngineers` over ids, each of which it must take.
async fn change_all(caller: &Caller<'_>, mutation: &str, ids: &[&str]) {
    let document = format!(
        "mutation($ids: [ID!]!) {{ {mutation}(input: {{ ids: $ids }}) {{
            userErrors {{ code }} outcomes {{ userError {{ code }} }} }} }}"
    );
    let data = caller.data(&document, json!({ "ids": ids })).await;
    let refused = data[mutation]["outcomes"].as_array().unwrap().iter().any(|outcome| !outcome["userError"].is_null());
    assert!(data[mutation]["userErrors"] == json!([]) && !refused, "{data}");
}

/// The end of the log.
async fn live_cursor(caller: &Caller<'_>) -> String {
    text(&caller.data("{ liveCursor }", json!({})).await["liveCursor"])
}

/// Opens a socket with one stream of status changes that begins after that cursor.
async fn follow(caller: &Caller<'_>, after: &str, filter: Value) -> (Socket, String) {
    let mut socket = caller.connect().await;
    let stream = socket.subscribe(CHANGES, json!({ "after": after, "filter": filter })).await;
    (socket, stream)
}

/// The next so many status changes.
async fn take(socket: &mut Socket, stream: &str, count: usize) -> Vec<Value> {
    let mut changes = Vec::new();
    while changes.len() < count {
        changes.push(socket.next(stream).await["confirmationStatusChanged"].take());
    }
    changes
}

/// Every status change of the account `demo`, in order, as a stream must tell it: read from the database itself.
async fn read_log(app: &TestApp) -> Vec<Value> {
    use rollcall::domain::event::{Event, Position};
    let account = "demo".parse().unwrap();
    let rows = app.app.services.store().rows(&account);
    let bounds = rows.log_bounds().await.unwrap();
    let logged = rows.list_events_after(Position(0), 1_000_000).await.unwrap();
    let show = |logged: rollcall::domain::event::LoggedEvent| match logged.event {
        Event::StatusChanged(change) => Some(json!({
            "cursor": bounds.cursor(logged.position).to_string(),
            "id": logged.id.to_string(),
            "occurredAt": logged.occurred_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            "engineerId": change.engineer.to_string(),
            "channel": change.channel.name(),
            "from": change.from.name(),
            "to": change.to.name(),
            "cause": change.cause.name(),
        })),
        Event::EngineerChanged { .. } | Event::RollChanged { .. } | Event::SyncProgressed { .. } => None,
    };
    logged.into_iter().filter_map(show).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The place in the log that a cursor names.
fn position(cursor: &Value) -> i64 {
    let cursor = text(cursor);
    let (_, position) = cursor.split_once('.').unwrap();
    i64::from_str_radix(position, 16).unwrap()
}
