//! The parameters of a GraphQL request, out of a body or out of a URL.

use std::borrow::Cow;

use async_graphql::Variables;
use axum::{extract::Query, http::Uri};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::{graphql::Call, http::graphql_status::Outcome};

/// Why there is no request in what came.
#[derive(Debug)]
pub(super) struct BadParameters {
    pub(super) outcome: Outcome,
    pub(super) message: Cow<'static, str>,
}

fn unreadable(message: impl Into<Cow<'static, str>>) -> BadParameters {
    BadParameters { outcome: Outcome::Unreadable, message: message.into() }
}

fn ill_formed(message: impl Into<Cow<'static, str>>) -> BadParameters {
    BadParameters { outcome: Outcome::IllFormed, message: message.into() }
}

/// Others are passed over, as GraphQL over HTTP wants it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: Option<Json>,
    operation_name: Option<Json>,
    variables: Option<Json>,
    extensions: Option<Json>,
}

/// The request of a body.
pub(super) fn read_body(body: &[u8]) -> Result<Call, BadParameters> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => return Err(ill_formed("Batches are not taken; send one request at a time.")),
        Some(b'{') => {}
        Some(_) | None => return Err(unreadable("The body must be a JSON object with the key \"query\".")),
    }
    let parameters: Parameters = serde_json::from_slice(body).map_err(|fault| {
        let (line, column) = (fault.line(), fault.column());
        unreadable(format!("The body is no valid JSON object, or has a key twice (line {line}, column {column})."))
    })?;
    parameters.into_call()
}

/// The request of a URL. What stands there is kept by browsers and proxies, so no token is looked for.
pub(super) fn read_url(uri: &Uri) -> Result<Call, BadParameters> {
    let Query(pairs): Query<Vec<(String, String)>> =
        Query::try_from_uri(uri).map_err(|_| unreadable("The parameters of the URL cannot be read."))?;
    let mut parameters = Parameters::default();
    for (name, value) in pairs {
        let (place, value) = match name.as_str() {
            "query" => (&mut parameters.query, Json::String(value)),
            // Without a value it is as if it was left out.
            "operationName" if value.is_empty() => continue,
            "operationName" => (&mut parameters.operation_name, Json::String(value)),
            "variables" => (&mut parameters.variables, read_json(&name, &value)?),
            "extensions" => (&mut parameters.extensions, read_json(&name, &value)?),
            _ => continue,
        };
        if place.replace(value).is_some() {
            return Err(ill_formed(format!("\"{name}\" is there twice.")));
        }
    }
    parameters.into_call()
}

fn read_json(name: &str, text: &str) -> Result<Json, BadParameters> {
    serde_json::from_str(text).map_err(|_| unreadable(format!("\"{name}\" is no valid JSON.")))
}

impl Parameters {
    fn into_call(self) -> Result<Call, BadParameters> {
        let must_be = |name: &str, what: &str| ill_formed(format!("\"{name}\" must be {what}."));
        let query = match self.query {
            Some(Json::String(query)) => query,
            Some(_) => return Err(must_be("query", "a string")),
            None => return Err(ill_formed("\"query\" is missing.")),
        };
        let operation_name = match self.operation_name {
            Some(Json::String(name)) => Some(name),
            Some(Json::Null) | None => None,
            Some(_) => return Err(must_be("operationName", "a string or null")),
        };
        let variables = match self.variables {
            Some(variables @ Json::Object(_)) => Variables::from_json(variables),
            Some(Json::Null) | None => Variables::default(),
            Some(_) => return Err(must_be("variables", "an object or null")),
        };
        // Nothing that rollcall does depends on a request's extensions.
        match self.extensions {
            Some(Json::Object(_) | Json::Null) | None => Ok(Call { query, operation_name, variables }),
            Some(_) => Err(must_be("extensions", "an object or null")),
        }
    }
}
