//! Whether the server lives, and whether it can work.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::time::timeout;
use tracing::warn;

use super::HttpState;

/// How long the database may take to answer before the server counts as not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /health/live`: the process answers.
pub(super) async fn live() -> Response {
    answer(StatusCode::OK, "ok\n")
}

/// `GET /health/ready`: the database answers as well.
pub(super) async fn ready(State(state): State<Arc<HttpState>>) -> Response {
    let Some(account) = state.services.accounts().next().map(|account| &account.settings.id) else {
        return answer(StatusCode::OK, "ok\n");
    };
    match timeout(PATIENCE, state.live.head_cursor(account)).await {
        Ok(Ok(_)) => answer(StatusCode::OK, "ok\n"),
        Ok(Err(error)) => {
            warn!(error = %error, "Not ready: {error}");
            answer(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
        Err(_) => {
            warn!("Not ready: the database takes more than {} s", PATIENCE.as_secs());
            answer(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}

fn answer(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}
