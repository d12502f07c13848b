//! Who may see and do what.

mod contacts;
mod matrix;
mod own;

use serde_json::{Value, json};

use crate::harness::app::{Caller, TestApp};

const ADD: &str = "mutation($input: AddEngineerInput!) { addEngineer(input: $input) {
    engineer { id } userErrors { code field message } } }";

/// Adds someone with an e-mail address, which is asked to be confirmed. Gives the id.
async fn add(caller: &Caller<'_>, name: &str) -> String {
    let input = json!({ "name": name, "userType": "OTHER", "email": format!("{name}@demo.example") });
    let data = caller.data(ADD, json!({ "input": input })).await;
    assert_eq!(data["addEngineer"]["userErrors"], json!([]));
    text(&data["addEngineer"]["engineer"]["id"])
}

/// Gives someone of the account `demo` another e-mail address, or none.
async fn set_email(app: &TestApp, id: &str, email: Option<&str>) {
    set_email_as(&app.admin(), id, email).await;
}

/// The same in that caller's name.
async fn set_email_as(caller: &Caller<'_>, id: &str, email: Option<&str>) {
    let document = "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) { userErrors { code } } }";
    let data = caller.data(document, json!({ "input": { "id": id, "email": email } })).await;
    assert_eq!(data["updateEngineer"]["userErrors"], json!([]));
}

async fn live_cursor(app: &TestApp) -> String {
    text(&app.admin().data("{ liveCursor }", json!({})).await["liveCursor"])
}

/// Syncs the directory `hr`. Gives the run's id.
async fn sync(app: &TestApp) -> String {
    let document = "mutation { syncEngineers(input: { directory: \"hr\" }) { directorySync { id } } }";
    let data = app.admin().data(document, json!({})).await;
    app.run_workers().await;
    text(&data["syncEngineers"]["directorySync"]["id"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
