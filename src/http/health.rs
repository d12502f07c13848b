//! Whether the server lives, and whether it can work.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value as Json, json};

use super::graphql_status::MediaType;

/// Tells how the things stand that a server's work depends on.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Every check, with what came out.
    async fn check(&self) -> Vec<Check>;
}

/// How one thing stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it stands.
    pub standing: Standing,
    numbers: Map<String, Json>,
}

/// How something stands. The text is for an operator, and shown to whoever asks: nothing secret is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As it should.
    Good,
    /// An operator should look; the server can serve.
    Doubtful(&'static str),
    /// The server cannot serve.
    Bad(&'static str),
}

impl Check {
    /// A check with its outcome.
    pub fn new(name: &'static str, standing: Standing) -> Self {
        Self { name, standing, numbers: Map::new() }
    }

    /// The same with a number that belongs to it.
    #[must_use]
    pub fn with(mut self, name: &str, number: impl Into<Json>) -> Self {
        self.numbers.insert(name.to_owned(), number.into());
        self
    }

    fn describe(&self) -> Json {
        let mut told = Map::new();
        let (status, why) = match self.standing {
            Standing::Good => ("ok", None),
            Standing::Doubtful(why) => ("warn", Some(why)),
            Standing::Bad(why) => ("fail", Some(why)),
        };
        told.insert("status".to_owned(), status.into());
        if let Some(why) = why {
            told.insert("why".to_owned(), why.into());
        }
        told.extend(self.numbers.clone());
        Json::Object(told)
    }
}

impl Standing {
    /// Whether the server cannot serve.
    pub const fn is_bad(self) -> bool {
        match self {
            Self::Bad(_) => true,
            Self::Good | Self::Doubtful(_) => false,
        }
    }

    const fn is_good(self) -> bool {
        match self {
            Self::Good => true,
            Self::Doubtful(_) | Self::Bad(_) => false,
        }
    }
}

/// `GET /health/live`: the process answers. Nothing else is asked.
pub(super) async fn live() -> Response {
    answer(StatusCode::OK, json!({ "status": "live" }))
}

/// `GET /health/ready`: whether requests should be sent here. 503 where not; a server of which an operator should know
/// something, and that can serve, is ready all the same.
pub(super) async fn ready(State(readiness): State<Arc<dyn Readiness>>) -> Response {
    let checks = readiness.check().await;
    let (code, status) = if checks.iter().any(|check| check.standing.is_bad()) {
        (StatusCode::SERVICE_UNAVAILABLE, "unready")
    } else if checks.iter().all(|check| check.standing.is_good()) {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::OK, "degraded")
    };
    let told: Map<_, _> = checks.iter().map(|check| (check.name.to_owned(), check.describe())).collect();
    answer(code, json!({ "status": status, "checks": told }))
}

fn answer(status: StatusCode, body: Json) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_TYPE, MediaType::Json.name())];
    (status, headers, format!("{body}\n")).into_response()
}
