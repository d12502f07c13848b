//! What a confirmation link leads to. The token in the path is the proof; there is no other caller. Looking (GET, HEAD)
//! never changes anything, since mail scanners open links too.

use std::sync::Arc;

use axum::{
    Form,
    extract::{
        Path, State,
        rejection::{FormRejection, PathRejection},
    },
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tracing::error;

use super::{
    HttpState,
    confirm_page::{AnsweredView, Asker, FormView, Page, render, status},
    confirm_words::Words,
    language::find_language,
    origin::path_of,
};
use crate::{
    domain::{
        account::Locale,
        wording::{deadline, purpose},
    },
    service::{
        ServiceError,
        confirm::{LinkState, LinkView, Shown},
    },
};

/// The largest answer, in bytes: a code and its field's name take 11.
pub(super) const MAX_ANSWER: usize = 4096;

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
pub(super) async fn show(State(state): State<Arc<HttpState>>, token: Token, headers: HeaderMap) -> Response {
    let asked = find_language(&headers);
    let Ok(Path(token)) = token else { return respond(&Page::Unknown, asked) };
    show_state(&state, &token, state.services.open_link(&token).await, asked)
}

/// `POST /c/{token}` with the field `code`: answers.
pub(super) async fn answer(
    State(state): State<Arc<HttpState>>,
    token: Token,
    headers: HeaderMap,
    form: Result<Form<AnswerForm>, FormRejection>,
) -> Response {
    let asked = find_language(&headers);
    let Ok(Path(token)) = token else { return respond(&Page::Unknown, asked) };
    let opened = state.services.open_link(&token).await;
    // What is no answer costs no try: the question is shown again.
    let code = match form {
        Ok(form) => read_code(form),
        Err(rejection) => {
            let mut response = show_state(&state, &token, opened, asked);
            *response.status_mut() = rejection.status();
            return response;
        }
    };
    let Some(code) = code else { return show_state(&state, &token, opened, asked) };
    let Some(shown) = shown_by(&opened, asked) else { return show_state(&state, &token, opened, asked) };
    show_state(&state, &token, state.services.answer_link(&token, &code, &shown).await, asked)
}

/// `POST /c/{token}/stop`: not me, or no more.
pub(super) async fn stop(State(state): State<Arc<HttpState>>, token: Token, headers: HeaderMap) -> Response {
    let asked = find_language(&headers);
    let Ok(Path(token)) = token else { return respond(&Page::Unknown, asked) };
    let opened = state.services.open_link(&token).await;
    let Some(shown) = shown_by(&opened, asked) else { return show_state(&state, &token, opened, asked) };
    show_state(&state, &token, state.services.stop_link(&token, &shown).await, asked)
}

/// The page for when a handler broke down.
pub(super) fn show_unavailable() -> Response {
    respond(&Page::Unavailable, None)
}

/// The code without the blanks that people copy along.
fn read_code(Form(form): Form<AnswerForm>) -> Option<String> {
    let code: String = form.code.chars().filter(|c| !c.is_whitespace()).collect();
    (!code.is_empty()).then_some(code)
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
        LinkState::Expired(view) => Page::Expired(asker_of(view)),
        LinkState::Burnt(view) => Page::Burnt(asker_of(view)),
        LinkState::Unknown => Page::Unknown,
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
        | LinkState::Expired(view)
        | LinkState::Burnt(view) => Some(view),
        LinkState::Unknown => None,
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
