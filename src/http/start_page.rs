//! The start page: what is running, and in demonstration mode what to try first and what people would have received.
//! One document without scripts and without anything from elsewhere.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use chrono_tz::Tz;
use tracing::error;

use super::{
    DemoPages, HttpState,
    origin::{is_local, path_of},
    template::fill,
};
use crate::{
    domain::{channel::ChannelKind, html::escape_html, request::RequestContext},
    service::ServiceError,
};

const DOCUMENT: &str = include_str!("start_page.html");
const PLAIN: &str = include_str!("start_page_plain.html");
const DEMO: &str = include_str!("start_page_demo.html");

/// How many messages of the outbox are shown.
const SHOWN_MESSAGES: u64 = 50;

/// The page renews itself without a script.
const REFRESH: &str = "<meta http-equiv=\"refresh\" content=\"15\">\n";

/// Everything that may be shown to whoever names the server by a local name.
struct DemoView {
    account: String,
    organisation: String,
    engineers: u64,
    database: &'static str,
    token: Option<String>,
    outbox: String,
}

/// `GET /`.
pub(super) async fn show(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Response {
    let Some(demo) = &state.demo else { return document("", &plain_page(&state, "")) };
    if !is_local(&state, context, &headers) {
        let hint = format!(" It is a demonstration: open http://{} to see more.", local_name(state.bound));
        return document("", &plain_page(&state, &hint));
    }
    match load(&state, demo).await {
        Ok(view) => document(REFRESH, &demo_page(&state, &view)),
        Err(fault) => {
            error!(error = %fault, "The start page could not be made: {fault}");
            document(REFRESH, &plain_page(&state, " Its database does not answer now."))
        }
    }
}

/// A name by which the server is known to be local.
fn local_name(bound: SocketAddr) -> String {
    if bound.ip().is_unspecified() { format!("localhost:{}", bound.port()) } else { bound.to_string() }
}

async fn load(state: &HttpState, demo: &DemoPages) -> Result<DemoView, ServiceError> {
    let settings = &state.services.account(&demo.account)?.settings;
    let overview = state.services.look_over(&demo.account).await?;
    let messages = state.services.list_outbox(&demo.account, SHOWN_MESSAGES).await?;
    let lines: Vec<String> = messages
        .iter()
        .rev()
        .map(|message| {
            let sent_at = message.sent_at.with_timezone(&settings.time_zone).format("%H:%M:%S").to_string();
            let about = Received { sent_at, channel: message.channel, endpoint: &message.endpoint };
            line(&about, &message.link, &message.code)
        })
        .collect();
    Ok(DemoView {
        account: demo.account.to_string(),
        organisation: settings.name.clone(),
        engineers: overview.engineers,
        database: if overview.embedded { "SQLite" } else { "PostgreSQL" },
        token: (demo.issue_token)(),
        outbox: table(&lines, settings.time_zone),
    })
}

fn demo_page(state: &HttpState, view: &DemoView) -> String {
    fill(DEMO, |name| {
        Some(match name {
            "version" => env!("CARGO_PKG_VERSION").to_owned(),
            "account" => escape_html(&view.account),
            "organisation" => escape_html(&view.organisation),
            "engineers" => view.engineers.to_string(),
            "database" => view.database.to_owned(),
            "public_url" => escape_html(&state.public_url),
            "base" => escape_html(path_of(&state.public_url)),
            "token" => escape_html(view.token.as_deref().unwrap_or("No token could be made; see the log.")),
            "outbox" => view.outbox.clone(),
            _ => return None,
        })
    })
}

fn plain_page(state: &HttpState, hint: &str) -> String {
    fill(PLAIN, |name| match name {
        "hint" => Some(escape_html(hint)),
        "base" => Some(escape_html(path_of(&state.public_url))),
        _ => None,
    })
}

fn document(refresh: &str, body: &str) -> Response {
    let html = fill(DOCUMENT, |name| match name {
        "refresh" => Some(refresh.to_owned()),
        "body" => Some(body.to_owned()),
        _ => None,
    });
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ];
    (headers, html).into_response()
}

struct Received<'a> {
    sent_at: String,
    channel: ChannelKind,
    endpoint: &'a str,
}

fn line(about: &Received<'_>, link: &str, code: &str) -> String {
    format!(
        "<tr><td>{sent_at}</td><td>{channel}</td><td>{endpoint}</td>\
         <td><a href=\"{link}\" target=\"_blank\" rel=\"noopener noreferrer\">open</a></td><td class=\"code\">{code}</td></tr>\n",
        sent_at = about.sent_at,
        channel = about.channel.name(),
        endpoint = escape_html(about.endpoint),
        link = escape_html(link),
        code = escape_html(code),
    )
}

fn table(lines: &[String], zone: Tz) -> String {
    if lines.is_empty() {
        return "<p>It is empty: nobody was asked yet.</p>".to_owned();
    }
    format!(
        "<div class=\"table\"><table>\n<thead><tr><th>Sent ({zone})</th><th>Channel</th><th>To</th><th>Link</th><th>Code</th></tr>\
         </thead>\n<tbody>\n{}</tbody>\n</table></div>",
        lines.concat(),
    )
}
