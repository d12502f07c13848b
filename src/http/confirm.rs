//! What a confirmation link leads to. The token in the path is the proof; there is no other caller. Looking (GET, HEAD)
//! never changes anything, since mail scanners open links too.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Extension, Form,
    body::Body,
    extract::{FromRequest, Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tracing::error;

use super::{
    HttpState,
    body::{BodyError, BodyLimits, read_body},
    confirm_page::{AnsweredView, Asker, FormView, Page, render, status},
    confirm_words::Words,
    language::find_language,
    origin::path_of,
};
use crate::{
    auth::TooMany,
    domain::{
        account::Locale,
        request::RequestContext,
        wording::{deadline, purpose},
    },
    service::{
        ServiceError,
        confirm::{LinkState, LinkView, Shown},
    },
};

/// The largest answer, in bytes: a code and its field's name take 11.
const MAX_ANSWER: usize = 4096;

const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

type Token = Result<Path<String>, PathRejection>;

/// The fields of the page's first form.
#[derive(Deserialize)]
pub(super) struct AnswerForm {
    code: String,
}

/// `GET /c/{token}`: shows how the link stands.
pub(super) async fn show(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    token: Token,
    headers: HeaderMap,
) -> Response {
    match Visit::begin(&state, context, token, &headers) {
        Ok(visit) => visit.show(visit.open().await),
        Err(limited) => limited.into_response(),
    }
}

/// `POST /c/{token}` with the field `code`: answers.
pub(super) async fn answer(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    token: Token,
    request: Request,
) -> Response {
    let visit = match Visit::begin(&state, context, token, request.headers()) {
        Ok(visit) => visit,
        Err(limited) => return limited.into_response(),
    };
    let code = read_code(&state, request).await;
    let opened = visit.open().await;
    // What is no answer costs no try: the question is shown again.
    let code = match code {
        Ok(Some(code)) => code,
        Ok(None) => return visit.show(opened),
        Err(status) => {
            let mut response = visit.show(opened);
            *response.status_mut() = status;
            return response;
        }
    };
    let Some(shown) = shown_by(&opened, visit.asked) else { return visit.show(opened) };
    let services = state.services.for_request(Some(context));
    visit.show(services.answer_link(&visit.token, &code, &shown).await)
}

/// `POST /c/{token}/stop`: not me, or no more.
pub(super) async fn stop(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    token: Token,
    headers: HeaderMap,
) -> Response {
    let visit = match Visit::begin(&state, context, token, &headers) {
        Ok(visit) => visit,
        Err(limited) => return limited.into_response(),
    };
    let opened = visit.open().await;
    let Some(shown) = shown_by(&opened, visit.asked) else { return visit.show(opened) };
    let services = state.services.for_request(Some(context));
    visit.show(services.stop_link(&visit.token, &shown).await)
}

/// The page for when a handler broke down.
pub(super) fn show_unavailable() -> Response {
    respond(&Page::Unavailable, None)
}

/// The code that was typed, without the blanks that people copy along; `None` where nothing was.
///
/// # Errors
/// The status where that is no form.
async fn read_code(state: &HttpState, request: Request) -> Result<Option<String>, StatusCode> {
    let (parts, body) = request.into_parts();
    let body = read_body(body, BodyLimits { bytes: MAX_ANSWER, time: state.body_timeout }).await;
    let request = Request::from_parts(parts, Body::from(body.map_err(BodyError::status)?));
    let form = Form::<AnswerForm>::from_request(request, &()).await;
    let Form(AnswerForm { code }) = form.map_err(|rejection| rejection.status())?;
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    Ok((!code.is_empty()).then_some(code))
}

/// Someone at the door with a token.
struct Visit<'a> {
    state: &'a HttpState,
    address: IpAddr,
    token: String,
    /// The language that their browser asks for.
    asked: Option<Locale>,
}

/// Someone from whose address too many links were opened that lead nowhere.
struct Limited {
    too_many: TooMany,
    asked: Option<Locale>,
}

impl<'a> Visit<'a> {
    fn begin(
        state: &'a HttpState,
        context: RequestContext,
        token: Token,
        headers: &HeaderMap,
    ) -> Result<Self, Limited> {
        let RequestContext { address, .. } = context;
        let asked = find_language(headers);
        state.limiter.check_links(address).map_err(|too_many| Limited { too_many, asked })?;
        // A token that cannot be read is looked for like any other, so that all of them take the same time.
        let token = token.map(|Path(token)| token).unwrap_or_default();
        Ok(Self { state, address, token, asked })
    }

    /// How the link stands. One that leads nowhere is counted.
    async fn open(&self) -> Result<LinkState, ServiceError> {
        let opened = self.state.services.open_link(&self.token).await;
        if matches!(opened, Ok(LinkState::Unknown | LinkState::Expired)) {
            self.state.limiter.count_wrong_link(self.address);
        }
        opened
    }

    fn show(&self, outcome: Result<LinkState, ServiceError>) -> Response {
        show_state(self.state, &self.token, outcome, self.asked)
    }
}

impl IntoResponse for Limited {
    fn into_response(self) -> Response {
        let mut response = respond(&Page::Limited, self.asked);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(self.too_many.retry_after_seconds()));
        response
    }
}

fn show_state(
    state: &HttpState,
    token: &str,
    outcome: Result<LinkState, ServiceError>,
    asked: Option<Locale>,
) -> Response {
    let link = match outcome {
        Ok(link) => link,
        Err(fault) => {
            error!(error = %fault, "A confirmation link could not be served: {fault}");
            return respond(&Page::Unavailable, asked);
        }
    };
    let stop_path = format!("{}/c/{token}/stop", path_of(&state.confirm_url));
    let locale = asked.or_else(|| view_of(&link).map(|view| view.locale));
    let page = match &link {
        LinkState::Open(view) => Page::Form(form_of(view, &stop_path, None)),
        LinkState::WrongCode { view, tries_left } => {
            let left = u32::try_from(*tries_left).unwrap_or(0).max(1);
            Page::Form(form_of(view, &stop_path, Some(left)))
        }
        LinkState::Confirmed(view) => Page::Confirmed(answered_of(view, &stop_path)),
        LinkState::AlreadyConfirmed(view) => Page::AlreadyConfirmed(answered_of(view, &stop_path)),
        LinkState::Stopped(view) => Page::Stopped(asker_of(view)),
        LinkState::Burnt(view) => Page::Burnt(asker_of(view)),
        LinkState::Expired | LinkState::Unknown => Page::Unknown,
    };
    respond(&page, locale)
}

fn respond(page: &Page<'_>, locale: Option<Locale>) -> Response {
    let html = render(page, locale.unwrap_or_default());
    let mut response = (status(page), [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

const fn view_of(link: &LinkState) -> Option<&LinkView> {
    match link {
        LinkState::Open(view)
        | LinkState::WrongCode { view, .. }
        | LinkState::Confirmed(view)
        | LinkState::AlreadyConfirmed(view)
        | LinkState::Stopped(view)
        | LinkState::Burnt(view) => Some(view),
        LinkState::Expired | LinkState::Unknown => None,
    }
}

fn form_of<'a>(view: &'a LinkView, stop_path: &'a str, tries_left: Option<u32>) -> FormView<'a> {
    FormView {
        organisation: &view.account.name,
        channel: view.channel,
        masked_endpoint: &view.endpoint_masked,
        expires_at: view.expires_at,
        time_zone: view.account.time_zone,
        contact: &view.account.contact,
        privacy_notice: view.account.privacy_notice.as_deref(),
        stop_path,
        tries_left,
    }
}

fn answered_of<'a>(view: &'a LinkView, stop_path: &'a str) -> AnsweredView<'a> {
    AnsweredView {
        organisation: &view.account.name,
        channel: view.channel,
        masked_endpoint: &view.endpoint_masked,
        contact: &view.account.contact,
        stop_path,
    }
}

fn asker_of(view: &LinkView) -> Asker<'_> {
    Asker { organisation: &view.account.name, contact: &view.account.contact }
}

/// What the person had before their eyes when they answered, for a link that leads somewhere.
fn shown_by(opened: &Result<LinkState, ServiceError>, asked: Option<Locale>) -> Option<Shown> {
    let view = opened.as_ref().ok().and_then(view_of)?;
    let locale = asked.unwrap_or(view.locale);
    Some(Shown { locale, text: consent_text(view, locale) })
}

/// The question's sentences in the order of the form, one a line.
fn consent_text(view: &LinkView, locale: Locale) -> String {
    let words = Words::of(locale);
    let mut lines = vec![
        words.form_title.to_owned(),
        purpose(&view.account.name, view.channel, locale),
        format!("{}: {}", words.channel, words.channel_label(view.channel)),
        format!("{}: {}", words.endpoint, view.endpoint_masked),
        format!("{}: {}", words.deadline, deadline(view.expires_at, view.account.time_zone, locale)),
        format!("{}: {}", words.contact, view.account.contact),
    ];
    if let Some(notice) = &view.account.privacy_notice {
        lines.push(format!("{}: {notice}", words.privacy));
    }
    lines.push(format!("[{}] [{}]", words.confirm, words.stop));
    lines.join("\n")
}
