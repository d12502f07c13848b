//! GraphQL over HTTP (<https://graphql.github.io/graphql-over-http/draft/>): one request at a time, as JSON by POST, or in the URL
//! by GET where it only reads. The answer is JSON, or a stream of server-sent events where the caller asks for that.

mod answer;
mod events;
mod live;
mod parameters;

use std::sync::Arc;

use async_graphql::{Response as GraphqlResponse, parser::types::OperationType};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
};

use self::{
    answer::{outcome_of, respond},
    events::{only, respond_events},
    parameters::{BadParameters, read_body, read_url},
};
use super::{
    HttpState,
    accept::Accept,
    body::{self, BodyLimits},
    caller::authenticate,
    error::HttpError,
    graphql_status::{MediaType, Outcome, Profile, status_of},
    groups::LiveQuery,
    language::language_of,
    listener::Line,
    origin::header_list,
    result, socket,
};
use crate::graphql::{Admitted, Call, Session};

/// The methods that `/graphql` takes.
const METHODS: &str = "GET, HEAD, POST";

/// `POST /graphql`: runs what the body says.
pub(super) async fn post(State(state): State<Arc<HttpState>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // Read before anything is refused: who is still sending when the answer comes sees a reset connection instead.
    let limits = BodyLimits { bytes: state.max_body_bytes, time: state.body_timeout };
    let body = body::read_body(body, limits).await.map_err(HttpError::from);
    let read = |headers: &HeaderMap| {
        let body = body?;
        check_body_type(headers)?;
        Ok(read_body(&body))
    };
    serve(&state, &parts, read).await
}

/// `GET /graphql`: runs what the URL says if it changes nothing, or makes the connection a WebSocket if that is asked for.
pub(super) async fn get(State(state): State<Arc<HttpState>>, request: Request) -> Response {
    if asks_for_websocket(request.headers()) {
        return socket::upgrade(State(state), request).await;
    }
    let (parts, _) = request.into_parts();
    let read = |_: &HeaderMap| {
        if parts.uri.query().is_some_and(|query| query.len() > MAX_URL) {
            let message = format!("The URL is too long; {MAX_URL} bytes are allowed. Send the request by POST.");
            return Err(HttpError::bad_input(StatusCode::URI_TOO_LONG, message));
        }
        Ok(read_url(&parts.uri))
    };
    serve(&state, &parts, read).await
}

/// `/graphql` with a method that it does not take.
pub(super) async fn refuse_method() -> HttpError {
    HttpError::method_not_allowed(METHODS)
}

/// The longest parameters of a URL, in bytes. Less than what the listener reads of a request's head, which can only be refused
/// without a word.
const MAX_URL: usize = 16 * 1024;

/// What the caller takes, of what there is.
#[derive(Clone, Copy)]
struct Wanted {
    /// The form of an answer that is one JSON document; `None` where it may not be one.
    document: Option<MediaType>,
    /// The form of a result that fits into either.
    result: MediaType,
    /// Whether a stream of events was asked for by its name, in whatever order.
    events: bool,
}

impl Wanted {
    fn of(accept: &Accept) -> Option<Self> {
        let json = accept.find_wish("application/json");
        let graphql = accept.find_wish("application/graphql-response+json");
        // Who takes anything means a document.
        let events = accept.find_wish("text/event-stream").filter(|wish| wish.is_named());
        // Where the same words mean both, it is JSON, as the audits want it.
        let (document, wish) =
            if graphql > json { (MediaType::GraphqlResponse, graphql) } else { (MediaType::Json, json) };
        let document = wish.map(|_| document);
        let result = match document {
            Some(document) if wish >= events => document,
            Some(_) | None => events.map(|_| MediaType::EventStream)?,
        };
        Some(Self { document, result, events: events.is_some() })
    }

    /// The form of an answer that is no result.
    fn for_refusal(self) -> MediaType {
        self.document.unwrap_or(MediaType::Json)
    }
}

/// Answers a request that `read` finds in what came.
async fn serve(
    state: &HttpState,
    parts: &Parts,
    read: impl FnOnce(&HeaderMap) -> Result<Result<Call, BadParameters>, HttpError>,
) -> Response {
    let wanted = Wanted::of(&Accept::of(&parts.headers));
    let media_type = wanted.map_or(MediaType::Json, Wanted::for_refusal);
    let answered = async {
        let found = read(&parts.headers)?;
        let wanted = wanted.ok_or_else(not_acceptable)?;
        let actor = authenticate(state, &parts.headers, &parts.extensions).await?;
        let call = found.map_err(|bad| refuse_parameters(bad, media_type))?;
        let request = parts.extensions.get().copied();
        let session = Session { actor, locale: language_of(&parts.headers), request };
        match state.gate.admit(call, &session) {
            Ok(admitted) => run(state, admitted, &session, wanted, parts).await,
            Err(refused) => Ok(answer_once(refused, wanted)),
        }
    };
    answered.await.unwrap_or_else(|refusal: HttpError| refusal.into_response_as(media_type))
}

async fn run(
    state: &HttpState,
    admitted: Admitted,
    session: &Session,
    wanted: Wanted,
    parts: &Parts,
) -> Result<Response, HttpError> {
    match admitted.kind() {
        OperationType::Mutation if parts.method != Method::POST => {
            let message = "A mutation must be sent by POST.";
            Err(HttpError::bad_input(StatusCode::METHOD_NOT_ALLOWED, message)
                .with_header(header::ALLOW, HeaderValue::from_static("POST")))
        }
        OperationType::Query | OperationType::Mutation => {
            Ok(answer_once(state.gate.execute(admitted, session).await, wanted))
        }
        OperationType::Subscription if wanted.events => {
            let line = parts.extensions.get::<Line>().cloned();
            let events = live::follow(state, LiveQuery::new(admitted, Arc::new(session.clone())), line)?;
            Ok(respond_events(status_of(Outcome::Complete, MediaType::EventStream, PROFILE), events))
        }
        OperationType::Subscription => {
            let status = status_of(Outcome::NotCarried, wanted.for_refusal(), PROFILE);
            let message = "A live stream needs accept: text/event-stream, or a WebSocket.";
            Err(HttpError::bad_input(status, message))
        }
    }
}

/// Whose rules for statuses hold.
const PROFILE: Profile = Profile::Audit;

/// The answer to what has one response.
fn answer_once(response: GraphqlResponse, wanted: Wanted) -> Response {
    match wanted.result {
        MediaType::Json | MediaType::GraphqlResponse => respond(response, wanted.result, PROFILE),
        MediaType::EventStream => {
            let status = status_of(outcome_of(&response), MediaType::EventStream, PROFILE);
            if status == StatusCode::OK {
                let result = result::read(&response).unwrap_or_else(|failure| failure.to_document());
                respond_events(status, only(&result))
            } else {
                respond(response, MediaType::Json, PROFILE)
            }
        }
    }
}

fn refuse_parameters(bad: BadParameters, media_type: MediaType) -> HttpError {
    HttpError::bad_input(status_of(bad.outcome, media_type, PROFILE), bad.message)
}

fn not_acceptable() -> HttpError {
    let message = "There is nothing of what accept names; there is application/json, application/graphql-response+json and \
                   text/event-stream.";
    HttpError::bad_input(StatusCode::NOT_ACCEPTABLE, message)
}

/// Refuses what is not JSON in UTF-8, as it is.
fn check_body_type(headers: &HeaderMap) -> Result<(), HttpError> {
    let refuse = |message| HttpError::bad_input(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let is_json = types.next().and_then(|value| value.to_str().ok()).is_some_and(is_json_in_utf8);
    if !is_json || types.next().is_some() {
        return Err(refuse("Send the request as JSON in UTF-8, with the header content-type: application/json."));
    }
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    if encodings.any(|encoding| !encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity")) {
        return Err(refuse("Send the request as it is, without content-encoding.")
            .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")));
    }
    Ok(())
}

/// Whether that is JSON, in UTF-8 or without a word on the characters.
fn is_json_in_utf8(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
            !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}

/// Whether the connection is to become a WebSocket. Some programs name other protocols with every request.
fn asks_for_websocket(headers: &HeaderMap) -> bool {
    header_list(headers, header::UPGRADE).any(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}
