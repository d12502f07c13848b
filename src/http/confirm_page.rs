//! The confirm page: small HTML documents without scripts and without anything from elsewhere, for a phone first. Pure: what
//! is shown comes in as values.
//!
//! They are made for `Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'`.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::confirm_words::Words;
use crate::domain::{
    account::Locale,
    channel::ChannelKind,
    html::escape_html,
    wording::{deadline, purpose},
};

/// A page that a confirmation link can show.
#[derive(Clone, Copy)]
pub enum Page<'a> {
    /// The question.
    Form(FormView<'a>),
    /// The person has just confirmed.
    Confirmed(AnsweredView<'a>),
    /// The person had confirmed before; nothing has changed.
    AlreadyConfirmed(AnsweredView<'a>),
    /// The person opted out, just now or before.
    Stopped(Asker<'a>),
    /// A link that leads nowhere. The same for one that is mistyped, foreign, replaced or too old, so that nothing can be learnt
    /// from it.
    Unknown,
    /// Too many wrong codes: the link no longer works.
    Burnt(Asker<'a>),
    /// Too many links that lead nowhere were opened from that address. Says nothing of the link.
    Limited,
    /// Something broke on our side; nothing has changed.
    Unavailable,
}

/// What the question shows.
#[derive(Clone, Copy)]
pub struct FormView<'a> {
    /// The account's name, as people know it.
    pub organisation: &'a str,
    /// The channel to confirm.
    pub channel: ChannelKind,
    /// The endpoint, masked: whoever holds the link need not learn it.
    pub masked_endpoint: &'a str,
    /// When link and code stop working.
    pub expires_at: DateTime<Utc>,
    /// The zone in which the deadline is told.
    pub time_zone: Tz,
    /// Whom to ask.
    pub contact: &'a str,
    /// The privacy notice, or where to find it. Line breaks are kept.
    pub privacy_notice: Option<&'a str>,
    /// Where "Not me / stop" is posted: a path on this server.
    pub stop_path: &'a str,
    /// After a wrong code: how many tries are left, at least 1.
    pub tries_left: Option<u32>,
}

/// What is shown to someone who has confirmed, and may still opt out.
#[derive(Clone, Copy)]
pub struct AnsweredView<'a> {
    /// The account's name, as people know it.
    pub organisation: &'a str,
    /// The confirmed channel.
    pub channel: ChannelKind,
    /// The endpoint, masked.
    pub masked_endpoint: &'a str,
    /// Whom to ask.
    pub contact: &'a str,
    /// Where "Not me / stop" is posted: a path on this server.
    pub stop_path: &'a str,
}

/// Who asked, for those who can no longer answer.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    /// The account's name, as people know it.
    pub organisation: &'a str,
    /// Whom to ask.
    pub contact: &'a str,
}

/// The HTTP status that goes with the page.
pub const fn status(page: &Page<'_>) -> StatusCode {
    match page {
        Page::Form(FormView { tries_left: Some(_), .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        Page::Form(_) | Page::Confirmed(_) | Page::AlreadyConfirmed(_) | Page::Stopped(_) => StatusCode::OK,
        Page::Unknown => StatusCode::NOT_FOUND,
        Page::Burnt(_) | Page::Limited => StatusCode::TOO_MANY_REQUESTS,
        Page::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The page as a complete HTML document.
pub fn render(page: &Page<'_>, locale: Locale) -> String {
    let words = Words::of(locale);
    let (title, body) = match page {
        Page::Form(view) => (words.form_title, form(view, locale)),
        Page::Confirmed(view) => (words.confirmed_title, answered(words.confirmed, view, locale)),
        Page::AlreadyConfirmed(view) => (words.already_title, answered(words.already, view, locale)),
        Page::Stopped(asker) => (words.stopped_title, told(words.stopped, asker, words)),
        Page::Unknown => (words.unknown_title, paragraph(words.unknown)),
        Page::Burnt(asker) => (words.burnt_title, told(words.burnt, asker, words)),
        Page::Limited => (words.limited_title, paragraph(words.limited)),
        Page::Unavailable => (words.unavailable_title, paragraph(words.unavailable)),
    };
    document(locale.tag(), title, &body)
}

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0 auto;padding:1.25rem;max-width:28rem;font:1.0625rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\
h1{font-size:1.375rem;line-height:1.25}\
dt{font-size:.875rem;opacity:.75}dd{margin:0 0 .75rem}\
.lines{white-space:pre-line}\
.wrong{padding:.75rem;border:2px solid #c5221f;border-radius:.5rem}\
label{display:block;font-weight:600}\
input{box-sizing:border-box;width:100%;margin:.25rem 0 1rem;padding:.75rem;font:1.75rem/1.2 ui-monospace,monospace;\
letter-spacing:.3em;text-align:center}\
button{width:100%;min-height:3.25rem;font:inherit;font-weight:600;border:2px solid #0b57d0;border-radius:.75rem;\
background:#0b57d0;color:#fff}\
form+form{margin-top:2rem}\
.stop button{background:transparent;color:inherit;border-color:currentColor}";

fn document(language: &str, title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"format-detection\" content=\"telephone=no\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
    )
}

fn form(view: &FormView<'_>, locale: Locale) -> String {
    let words = Words::of(locale);
    let wrong = view
        .tries_left
        .map(|left| format!("<p class=\"wrong\" id=\"wrong\" role=\"alert\">{}</p>\n", words.wrong_code(left)));
    let invalid = if wrong.is_some() { " aria-invalid=\"true\" aria-describedby=\"wrong\"" } else { "" };
    let mut facts = fact(words.channel, words.channel_label(view.channel));
    facts += &fact(words.endpoint, view.masked_endpoint);
    facts += &fact(words.deadline, &deadline(view.expires_at, view.time_zone, locale));
    facts += &fact(words.contact, view.contact);
    if let Some(notice) = view.privacy_notice {
        facts += &fact(words.privacy, notice);
    }
    format!(
        "{why}<dl>\n{facts}</dl>\n{wrong}\
         <form method=\"post\">\n<label for=\"code\">{code}</label>\n\
         <input id=\"code\" name=\"code\" type=\"text\" inputmode=\"numeric\" autocomplete=\"one-time-code\" \
         pattern=\"[0-9]*\" maxlength=\"6\" required{invalid}>\n<button type=\"submit\">{confirm}</button>\n</form>\n\
         {stop}",
        why = paragraph(&purpose(view.organisation, view.channel, locale)),
        wrong = wrong.unwrap_or_default(),
        code = words.code,
        confirm = words.confirm,
        stop = stop_form(view.stop_path, words),
    )
}

fn answered(text: &str, view: &AnsweredView<'_>, locale: Locale) -> String {
    let words = Words::of(locale);
    format!(
        "{text}<dl>\n{organisation}{channel}{endpoint}{contact}</dl>\n{stop}",
        text = paragraph(text),
        organisation = fact(words.organisation, view.organisation),
        channel = fact(words.channel, words.channel_label(view.channel)),
        endpoint = fact(words.endpoint, view.masked_endpoint),
        contact = fact(words.contact, view.contact),
        stop = stop_form(view.stop_path, words),
    )
}

fn told(text: &str, asker: &Asker<'_>, words: &Words) -> String {
    format!(
        "{text}<dl>\n{organisation}{contact}</dl>\n",
        text = paragraph(text),
        organisation = fact(words.organisation, asker.organisation),
        contact = fact(words.contact, asker.contact),
    )
}

fn stop_form(path: &str, words: &Words) -> String {
    format!(
        "<form method=\"post\" action=\"{path}\" class=\"stop\">\n<button type=\"submit\">{stop}</button>\n</form>\n",
        path = escape_html(path),
        stop = words.stop,
    )
}

fn fact(label: &str, value: &str) -> String {
    format!("<dt>{label}</dt><dd class=\"lines\">{}</dd>\n", escape_html(value))
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape_html(text))
}
