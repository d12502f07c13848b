//! The roll as a CSV file: `POST /import?dryRun=true|false` and `GET /export`.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use tracing::{Instrument as _, error};

use super::{
    HttpState,
    body::{BodyLimits, is_of_type, spool_body},
    caller,
    error::HttpError,
    language::language_of,
};
use crate::{
    domain::{actor::Actor, audit::AuditAction, id::EngineerId},
    service::{ServiceError, Services, bulk_file::BulkFileError, export::ExportPage, import::ImportError},
};

/// What `/import` may be told. A misspelt `dryRun` must not become a real import.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportQuery {
    #[serde(default, rename = "dryRun")]
    dry_run: bool,
}

/// `POST /import`: applies a CSV file, or with `dryRun=true` only says what it would do. The report is JSON.
pub(super) async fn import(
    State(state): State<Arc<HttpState>>,
    query: Result<Query<ImportQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, HttpError> {
    let (parts, body) = request.into_parts();
    // Before the body: nothing of a stranger's file is kept.
    let (actor, services) = authenticate(&state, &parts, AuditAction::ImportEngineers).await?;
    let Query(ImportQuery { dry_run }) = query.map_err(|_| {
        HttpError::bad_input(StatusCode::BAD_REQUEST, "The query takes dryRun=true or dryRun=false, and nothing else.")
    })?;
    let limits = BodyLimits { bytes: state.max_import_bytes, time: state.body_timeout };
    let file = spool_body(body, limits, &state.spool_folder).await?;
    if !is_of_type(&parts.headers, "text/csv") {
        return Err(HttpError::bad_input(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the file as it is, with the header content-type: text/csv.",
        ));
    }
    // Half of an import is worse than all of it: it comes to its end, whether or not the client is still there.
    let importing = async move { services.import_file(&actor, file, dry_run).await };
    let imported = state.tasks.spawn(importing.in_current_span()).await.map_err(|_| HttpError::internal())?;
    let report = imported.map_err(|error| match error {
        ImportError::File(BulkFileError::Unreadable(fault)) => {
            error!(error = %fault, "An upload could not be read again: {fault}");
            HttpError::internal()
        }
        ImportError::File(fault) => HttpError::bad_input(StatusCode::UNPROCESSABLE_ENTITY, fault.to_string()),
        ImportError::Service(error) => HttpError::from_service(error, language_of(&parts.headers)),
    })?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(report)).into_response())
}

/// `GET /export`: the roll as a CSV file, read and sent page by page.
pub(super) async fn export(State(state): State<Arc<HttpState>>, request: Request) -> Result<Response, HttpError> {
    let (parts, _) = request.into_parts();
    let (actor, services) = authenticate(&state, &parts, AuditAction::ExportEngineers).await?;
    let name = format!("attachment; filename=\"rollcall-{}.csv\"", actor.account);
    // The first page is read before the answer begins, so that a refusal is still one.
    let first = services.export_page(&actor, None).await;
    let first = first.map_err(|error| HttpError::from_service(error, language_of(&parts.headers)))?;
    let rest = rest_of_export(services, actor, first.next);
    let body = Body::from_stream(stream::iter([Ok(first.bytes)]).chain(rest));
    let described = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((described, body).into_response())
}

/// The pages after the first. A fault ends the body early, without its last chunk, so that the client does not take it
/// for whole.
fn rest_of_export(
    services: Services,
    actor: Actor,
    after: Option<EngineerId>,
) -> impl stream::Stream<Item = Result<Vec<u8>, ServiceError>> + Send {
    stream::try_unfold((services, actor, after), |(services, actor, after)| async move {
        let Some(after) = after else { return Ok(None) };
        let ExportPage { bytes, next } = services.export_page(&actor, Some(after)).await?;
        Ok(Some((bytes, (services, actor, next))))
    })
    .inspect_err(|fault| error!(error = %fault, "An export broke off: {fault}"))
}

/// Who asks, if they may exchange files, and the use cases for what they ask.
async fn authenticate(state: &HttpState, parts: &Parts, action: AuditAction) -> Result<(Actor, Services), HttpError> {
    let actor = caller::authenticate(state, &parts.headers, &parts.extensions).await?;
    state.limiter.admit_operation(&actor)?;
    let services = state.services.for_request(parts.extensions.get().copied());
    let admitted = services.admit_exchange(&actor, action).await;
    admitted.map_err(|error| HttpError::from_service(error, language_of(&parts.headers)))?;
    Ok((actor, services))
}
