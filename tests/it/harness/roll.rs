//! What people do with the roll and with the messages that they get, as tests write it down.

use entity::{channel_subscription, confirmation_link};
use reqwest::{Method, StatusCode, header::HeaderMap};
use rollcall::{
    domain::{
        channel::ChannelKind,
        event::{Event, LoggedEvent, Position},
        id::{AccountId, EngineerId},
    },
    store::OutboxMessage,
};
use sea_orm::{ColumnTrait as _, DatabaseConnection, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde_json::{Value, json};

use super::app::{Caller, TestApp};

const FIELDS: &str =
    "id name version mobile email directoryState subscribable channels { kind status usable subscribable
    notSubscribableReason requestedAt expiresAt confirmedAt nextRequestAt failureCode failureMessage }";

const ERRORS: &str = "userErrors { code message field params { name value } }";

impl Caller<'_> {
    /// Adds someone by hand. Gives the engineer.
    pub async fn add(&self, name: &str, fields: Value) -> Value {
        let mut input = json!({ "name": name, "userType": "IAM_USER" });
        merge(&mut input, fields);
        let query = format!(
            "mutation($input: AddEngineerInput!) {{ addEngineer(input: $input) {{ engineer {{ {FIELDS} }} {ERRORS} }} }}"
        );
        let payload = self.data(&query, json!({ "input": input })).await["addEngineer"].clone();
        assert_eq!(payload["userErrors"], json!([]));
        payload["engineer"].clone()
    }

    /// Edits someone. Gives the whole payload.
    pub async fn try_update(&self, engineer: &Value, fields: Value) -> Value {
        let mut input = json!({ "id": engineer["id"] });
        merge(&mut input, fields);
        let query = format!(
            "mutation($input: UpdateEngineerInput!) {{ updateEngineer(input: $input) {{ engineer {{ {FIELDS} }} {ERRORS} }} }}"
        );
        self.data(&query, json!({ "input": input })).await["updateEngineer"].clone()
    }

    /// Edits someone. Gives the engineer.
    pub async fn update(&self, engineer: &Value, fields: Value) -> Value {
        let payload = self.try_update(engineer, fields).await;
        assert_eq!(payload["userErrors"], json!([]));
        payload["engineer"].clone()
    }

    /// The engineer as they are now.
    pub async fn look(&self, engineer: &Value) -> Value {
        let query = format!("query($id: ID!) {{ engineer(id: $id) {{ {FIELDS} }} }}");
        self.data(&query, json!({ "id": engineer["id"] })).await["engineer"].clone()
    }

    /// Subscribes channels. Gives the whole payload.
    pub async fn try_subscribe(&self, engineer: &Value, more: Value) -> Value {
        let mut input = json!({ "engineerIds": [engineer["id"]] });
        merge(&mut input, more);
        let query = format!(
            "mutation($input: SubscribeChannelsInput!) {{ subscribeChannels(input: $input) {{
                outcomes {{ engineerId channel status userError {{ code field params {{ name value }} }} }} {ERRORS} }} }}"
        );
        self.data(&query, json!({ "input": input })).await["subscribeChannels"].clone()
    }

    /// Subscribes one channel. Gives `Ok` or the code of the refusal.
    pub async fn subscribe(&self, engineer: &Value, channel: &str) -> Result<(), String> {
        let payload = self.try_subscribe(engineer, json!({ "channels": [channel] })).await;
        assert_eq!(payload["userErrors"], json!([]));
        match &payload["outcomes"][0]["userError"]["code"] {
            Value::Null => {
                assert_eq!(payload["outcomes"][0]["status"], "REQUESTED");
                Ok(())
            }
            code => Err(code.as_str().expect("a code").to_owned()),
        }
    }

    /// Cancels channels. Gives the outcomes.
    pub async fn cancel(&self, engineer: &Value, channels: Value) -> Value {
        let input = json!({ "engineerIds": [engineer["id"]], "channels": channels });
        let query = format!(
            "mutation($input: CancelChannelsInput!) {{ cancelChannels(input: $input) {{
                outcomes {{ engineerId channel status userError {{ code field }} }} {ERRORS} }} }}"
        );
        let payload = self.data(&query, json!({ "input": input })).await["cancelChannels"].clone();
        assert_eq!(payload["userErrors"], json!([]));
        payload["outcomes"].clone()
    }

    /// Types a code in. Gives the whole payload.
    pub async fn confirm(&self, engineer: &Value, channel: &str, code: &str) -> Value {
        let input = json!({ "engineerId": engineer["id"], "channel": channel, "code": code });
        let query = format!(
            "mutation($input: ConfirmChannelInput!) {{ confirmChannel(input: $input) {{
                engineer {{ {FIELDS} }} channel {{ kind status }} {ERRORS} }} }}"
        );
        self.data(&query, json!({ "input": input })).await["confirmChannel"].clone()
    }

    /// Deletes someone.
    pub async fn delete(&self, engineer: &Value) {
        let query =
            "mutation($input: DeleteEngineersInput!) { deleteEngineers(input: $input) { userErrors { code } } }";
        let data = self.data(query, json!({ "input": { "ids": [engineer["id"]] } })).await;
        assert_eq!(data["deleteEngineers"]["userErrors"], json!([]));
    }

    /// Brings someone back.
    pub async fn restore(&self, engineer: &Value) {
        let query =
            "mutation($input: RestoreEngineersInput!) { restoreEngineers(input: $input) { userErrors { code } } }";
        let data = self.data(query, json!({ "input": { "ids": [engineer["id"]] } })).await;
        assert_eq!(data["restoreEngineers"]["userErrors"], json!([]));
    }

    /// Asks for a confirmation sync.
    pub async fn refresh_confirmations(&self) -> Value {
        let query = "mutation { refreshConfirmations(input: {}) { confirmationSync { wantedAt startedAt completedAt }
            userErrors { code } } }";
        self.data(query, json!({})).await["refreshConfirmations"].clone()
    }
}

fn merge(into: &mut Value, fields: Value) {
    let fields = fields.as_object().cloned().expect("fields");
    into.as_object_mut().expect("an object").extend(fields);
}

/// The status of one channel.
pub fn status<'a>(engineer: &'a Value, kind: &str) -> &'a str {
    super::app::channel(engineer, kind)["status"].as_str().expect("a status")
}

/// A page as a browser got it.
#[derive(Debug)]
pub struct ShownPage {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The document.
    pub body: String,
}

impl TestApp {
    fn account() -> AccountId {
        "demo".parse().expect("an account")
    }

    /// The database, for looking at what is stored.
    pub fn database(&self) -> &DatabaseConnection {
        self.app.services.store().migration_connection()
    }

    /// The event log of the account `demo`.
    pub async fn events(&self) -> Vec<LoggedEvent> {
        let account = Self::account();
        let rows = self.app.services.store().rows(&account);
        rows.list_events_after(Position(0), 100_000).await.expect("the log")
    }

    /// The status changes in the log of the account `demo`, such as `SMS UNSUBSCRIBED>REQUESTED EDIT`.
    pub async fn changes(&self) -> Vec<String> {
        let show = |event: LoggedEvent| match event.event {
            Event::StatusChanged(change) => {
                let (from, to) = (change.from.name(), change.to.name());
                Some(format!("{} {from}>{to} {}", change.channel.name(), change.cause.name()))
            }
            Event::EngineerChanged { .. } | Event::RollChanged { .. } | Event::SyncProgressed { .. } => None,
        };
        self.events().await.into_iter().filter_map(show).collect()
    }

    /// The requests of one channel, the oldest first, as stored.
    pub async fn generations(&self, engineer: &Value, kind: ChannelKind) -> Vec<channel_subscription::Model> {
        let id: EngineerId = engineer["id"].as_str().expect("an id").parse().expect("an id");
        channel_subscription::Entity::find()
            .filter(channel_subscription::Column::EngineerId.eq(id.0))
            .filter(channel_subscription::Column::Kind.eq(kind.name()))
            .order_by_asc(channel_subscription::Column::RequestedAt)
            .order_by_asc(channel_subscription::Column::Id)
            .all(self.database())
            .await
            .expect("the requests")
    }

    /// All links, as stored.
    pub async fn links(&self) -> Vec<confirmation_link::Model> {
        confirmation_link::Entity::find()
            .order_by_asc(confirmation_link::Column::Generation)
            .all(self.database())
            .await
            .expect("the links")
    }

    /// The last message in the outbox for that endpoint by that channel.
    pub async fn last_message(&self, endpoint: &str, channel: ChannelKind) -> OutboxMessage {
        let all = self.outbox().await;
        let wanted = |message: &OutboxMessage| message.endpoint == endpoint && message.channel == channel;
        all.into_iter().rfind(wanted).expect("a message")
    }

    /// What a browser shows.
    pub async fn browse(&self, method: Method, path: &str, language: Option<&str>) -> ShownPage {
        let mut request = self.request(method, path);
        if let Some(language) = language {
            request = request.header("accept-language", language);
        }
        read(request).await
    }

    /// What a browser shows after the form was sent with that code.
    pub async fn type_code(&self, path: &str, code: &str) -> ShownPage {
        read(self.request(Method::POST, path).form(&[("code", code)])).await
    }

    /// What a browser shows after "Not me / stop".
    pub async fn press_stop(&self, path: &str) -> ShownPage {
        read(self.request(Method::POST, &format!("{path}/stop"))).await
    }
}

async fn read(request: reqwest::RequestBuilder) -> ShownPage {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    ShownPage { status, headers, body: response.text().await.expect("a document") }
}

/// The path of a confirmation link.
pub fn path_of(link: &str) -> String {
    let (_, token) = link.split_once("/c/").expect("a confirmation link");
    format!("/c/{token}")
}

/// The token of a confirmation link's path.
pub fn token_of(path: &str) -> &str {
    path.strip_prefix("/c/").expect("the path of a confirmation link")
}

/// A code as people copy it, with a blank in its middle.
pub fn spaced(code: &str) -> String {
    let (before, after) = code.split_at(3);
    format!(" {before} {after} ")
}

/// A code that is not that one.
pub fn other_code(code: &str) -> String {
    let number: u32 = code.parse().expect("six digits");
    format!("{:06}", (number + 1) % 1_000_000)
}
