//! What a person sees and does on the page that a confirmation link opens, and by code elsewhere.

use rollcall::domain::channel::ChannelKind;
use serde_json::{Value, json};

use crate::harness::{
    app::TestApp,
    roll::{ShownPage, path_of, status},
};

mod alike;
mod code;
mod link;
mod mail;
mod useless;

const EMAIL: &str = "lin.wei@demo.example";

/// Someone who was asked by mail, and how to answer.
struct Asked {
    person: Value,
    path: String,
    code: String,
}

async fn ask(app: &TestApp, name: &str, email: &str) -> Asked {
    let person = app.admin().add(name, json!({ "email": email })).await;
    app.run_workers().await;
    last_asked(app, person, email).await
}

/// The same person with their last message.
async fn last_asked(app: &TestApp, person: Value, email: &str) -> Asked {
    let message = app.last_message(email, ChannelKind::Email).await;
    Asked { person, path: path_of(&message.link), code: message.code }
}

async fn status_of(app: &TestApp, asked: &Asked) -> String {
    status(&app.admin().look(&asked.person).await, "EMAIL").to_owned()
}

fn title(page: &ShownPage) -> &str {
    let (_, rest) = page.body.split_once("<h1>").expect("a title");
    rest.split_once("</h1>").expect("its end").0
}
