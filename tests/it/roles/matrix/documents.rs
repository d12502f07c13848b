//! What each row of the table asks.

use serde_json::{Value, json};

use super::table::Row;

/// The id of the counts of the account `demo`.
pub(super) const SUMMARY: &str = "roster-summary:demo";

/// Who is asked about, and what else a document is told; all of it is of the account `demo`.
pub(super) struct Stage {
    /// The engineer.
    pub(super) target: String,
    /// The code that confirms their e-mail address, where the row needs one.
    pub(super) code: String,
    /// A directory sync.
    pub(super) sync: String,
    /// A status change of theirs.
    pub(super) change: String,
    /// An API key, or an entry of the audit log, where the row needs one.
    pub(super) key: String,
}

/// The document of a row with its variables.
pub(super) fn operation(row: &Row, stage: &Stage) -> (String, Value) {
    let Stage { target, code, sync, change, key } = stage;
    let channel = target.replace("engineer:", "channel:") + ".EMAIL";
    let payload = "userErrors { code }";
    let bulk = "userErrors { code } outcomes { userError { code } }";
    let node = |id: &str| ("query($id: ID!) { node(id: $id) { id } }".to_owned(), json!({ "id": id }));
    let by_id = |body: &str| (format!("query($id: ID!) {{ {body} }}"), json!({ "id": target }));
    let plain = |body: &str| (body.to_owned(), json!({}));
    let mutation = |kind: &str, selection: &str, input: Value| {
        let (field, rest) = (&row.field, selection);
        (format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ {rest} }} }}"), json!({ "input": input }))
    };
    let filter = json!({ "filter": { "ids": [target] }, "channels": ["EMAIL"] });
    let ids = json!({ "engineerIds": [target], "channels": ["EMAIL"] });
    let lift = json!({ "engineerIds": [target], "channels": ["EMAIL"], "liftOptOut": true });
    match (row.field.as_str(), row.variant.as_str()) {
        ("apiKeys", "") => plain("{ apiKeys(first: 100) { nodes { id } } }"),
        ("auditLog", "") => plain("{ auditLog(first: 100) { nodes { id: targetId } } }"),
        ("channelKinds", "") => plain("{ channelKinds { kind } }"),
        ("directorySync", "") => {
            ("query($id: ID!) { directorySync(id: $id) { id } }".to_owned(), json!({ "id": sync }))
        }
        ("directorySyncs", "") => plain("{ directorySyncs(first: 100) { nodes { id } } }"),
        ("engineer", "") => by_id("engineer(id: $id) { id }"),
        ("engineers", "") => plain("{ engineers(last: 100, orderBy: { field: CREATED_AT }) { nodes { id } } }"),
        ("liveCursor", "") => plain("{ liveCursor }"),
        ("node", "engineer") => node(target),
        ("node", "channel") => node(&channel),
        ("node", "statusChange") => node(change),
        ("node", "directorySync") => node(sync),
        ("node", "apiKey" | "auditEntry") => node(key),
        ("node", "rosterSummary") => node(SUMMARY),
        ("nodes", "") => by_id("nodes(ids: [$id]) { id }"),
        ("rosterSummary", "") => plain("{ rosterSummary { id } }"),
        ("statusChanges", "") => plain("{ statusChanges(first: 100) { nodes { id: engineerId } } }"),
        ("viewer", "") => plain("{ viewer { subject account { id } } }"),
        ("addEngineer", "") => mutation(
            "AddEngineerInput",
            payload,
            json!({ "name": target.replace("engineer:", "new."), "userType": "OTHER" }),
        ),
        ("cancelChannels", "") => mutation("CancelChannelsInput", bulk, ids),
        ("cancelChannels", "filter") => mutation("CancelChannelsInput", bulk, filter),
        ("confirmChannel", "") => {
            let input = json!({ "engineerId": target, "channel": "EMAIL", "code": code });
            mutation("ConfirmChannelInput", payload, input)
        }
        ("createApiKey", "") => mutation("CreateApiKeyInput", payload, json!({ "label": "wall", "role": "VIEWER" })),
        ("deleteEngineers", "") => mutation("DeleteEngineersInput", bulk, json!({ "ids": [target] })),
        ("deleteEngineers", "eraseNow") => {
            mutation("DeleteEngineersInput", bulk, json!({ "ids": [target], "eraseNow": true }))
        }
        ("refreshConfirmations", "") => mutation("RefreshConfirmationsInput", payload, json!({})),
        ("restoreEngineers", "") => mutation("RestoreEngineersInput", bulk, json!({ "ids": [target] })),
        ("revealContact", "") => {
            let input = json!({ "engineerId": target, "channel": "EMAIL", "reason": "the matrix" });
            mutation("RevealContactInput", payload, input)
        }
        ("revokeApiKeys", "") => mutation("RevokeApiKeysInput", bulk, json!({ "ids": [key] })),
        ("subscribeChannels", "") => mutation("SubscribeChannelsInput", bulk, ids),
        ("subscribeChannels", "filter") => mutation("SubscribeChannelsInput", bulk, filter),
        ("subscribeChannels", "liftOptOut") => mutation("SubscribeChannelsInput", bulk, lift),
        ("syncEngineers", "") => mutation("SyncEngineersInput", payload, json!({ "directory": "hr" })),
        ("updateEngineer", "") => mutation("UpdateEngineerInput", payload, json!({ "id": target, "alias": "another" })),
        ("confirmationStatusChanged", "") => {
            plain("subscription($after: String) { confirmationStatusChanged(after: $after) { engineerId } }")
        }
        ("directorySyncProgress", "") => {
            ("subscription($id: ID!) { directorySyncProgress(id: $id) { id } }".to_owned(), json!({ "id": sync }))
        }
        ("engineerChanged", "") => {
            plain("subscription($after: String) { engineerChanged(after: $after) { engineerId } }")
        }
        ("rosterSummaryChanged", "") => plain("subscription { rosterSummaryChanged { id } }"),
        (field, variant) => {
            panic!("{field} {variant} has a row in matrix.txt and no document here: add one to `operation`")
        }
    }
}
