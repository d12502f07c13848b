//! The texts of the confirmation message: a mail with a text and an HTML part, or a short text for the phone.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::domain::{
    account::Locale,
    channel::ChannelKind,
    html::escape_html,
    wording::{channel_label, deadline, one_line, purpose},
};

/// The longest text for a phone, in characters. Huawei SMN advises at most 490 for a message by SMS.
pub const PHONE_TEXT_MAX: usize = 489;

/// The longest link that leaves a text for the phone within [`PHONE_TEXT_MAX`], in characters.
pub const PHONE_LINK_MAX: usize = 180;

/// The longest person's name that is written out, in characters.
const NAME_MAX: usize = 64;

/// What a confirmation message must tell.
#[derive(Clone, Copy)]
pub struct MessageInput<'a> {
    /// The account's name, as people know it.
    pub organisation: &'a str,
    /// The person's name.
    pub name: &'a str,
    /// The channel to confirm.
    pub channel: ChannelKind,
    /// The confirmation link. A text for the phone keeps its bounds with up to [`PHONE_LINK_MAX`] characters.
    pub link: &'a str,
    /// The code: 6 digits.
    pub code: &'a str,
    /// When link and code stop working.
    pub expires_at: DateTime<Utc>,
    /// The zone in which the deadline is told.
    pub time_zone: Tz,
    /// Whom to ask.
    pub contact: &'a str,
    /// The privacy notice, or where to find it.
    pub privacy_notice: Option<&'a str>,
    /// The language.
    pub locale: Locale,
}

/// A confirmation message, written out. It holds a code and a link: it is not for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageText {
    /// The subject, one line.
    pub subject: String,
    /// The plain text. For a phone at most [`PHONE_TEXT_MAX`] characters, and no square brackets or 【】 outside the link,
    /// which carriers read as a signature.
    pub text: String,
    /// The same as a complete HTML document without remote content.
    pub html: String,
}

/// Writes the message.
pub fn compose(input: &MessageInput<'_>) -> MessageText {
    let lines = Lines::of(input);
    let text = match input.channel {
        ChannelKind::Email => lines.text(input),
        ChannelKind::Sms | ChannelKind::Voice | ChannelKind::Wecom | ChannelKind::Dingtalk | ChannelKind::Lark => {
            phone_text(input)
        }
    };
    MessageText { html: lines.html(input), text, subject: lines.subject }
}

/// The sentences of a mail, not yet escaped.
struct Lines {
    subject: String,
    greeting: String,
    purpose: String,
    action: &'static str,
    button: &'static str,
    code_label: &'static str,
    deadline: String,
    refuse: &'static str,
    contact: String,
    privacy: Option<String>,
}

impl Lines {
    fn of(input: &MessageInput<'_>) -> Self {
        match input.locale {
            Locale::En => Self::english(input),
            Locale::ZhCn => Self::chinese(input),
        }
    }

    fn english(input: &MessageInput<'_>) -> Self {
        let organisation = one_line(input.organisation, usize::MAX);
        let channel = channel_label(input.channel, Locale::En);
        Self {
            subject: format!("{organisation}: may we reach you by {channel} in incidents?"),
            greeting: format!("Hello {},", person(input.name)),
            purpose: purpose(&organisation, input.channel, Locale::En),
            action: "To confirm, open this page and type the code:",
            button: "Open the page",
            code_label: "Your code:",
            deadline: format!(
                "Please answer by {}. After that, link and code no longer work.",
                deadline(input.expires_at, input.time_zone, Locale::En)
            ),
            refuse: "Is this not for you, or do you not want it? Press \"Not me / stop\" on the same page, and we will \
                     stop. Do not give the code to anyone.",
            contact: format!("Questions: {}", one_line(input.contact, usize::MAX)),
            privacy: input.privacy_notice.map(|notice| format!("Privacy notice: {notice}")),
        }
    }

    fn chinese(input: &MessageInput<'_>) -> Self {
        let organisation = one_line(input.organisation, usize::MAX);
        let channel = channel_label(input.channel, Locale::ZhCn);
        Self {
            subject: format!("{organisation}：请确认是否可在发生故障时通过{channel}联系您"),
            greeting: format!("{}，您好：", person(input.name)),
            purpose: purpose(&organisation, input.channel, Locale::ZhCn),
            action: "如果同意，请打开以下页面并输入验证码：",
            button: "打开页面",
            code_label: "您的验证码：",
            deadline: format!(
                "请在 {} 之前答复，逾期链接和验证码将失效。",
                deadline(input.expires_at, input.time_zone, Locale::ZhCn)
            ),
            refuse: "如果不是您本人，或者您不愿意接收，请在同一页面点击“不是我 / 停止”，我们将停止联系。\
                     请勿将验证码告诉他人。",
            contact: format!("如有疑问，请联系：{}", one_line(input.contact, usize::MAX)),
            privacy: input.privacy_notice.map(|notice| format!("隐私声明：{notice}")),
        }
    }

    fn text(&self, input: &MessageInput<'_>) -> String {
        let code = format!("{} {}", self.code_label, input.code);
        let mut paragraphs = vec![
            self.greeting.as_str(),
            &self.purpose,
            self.action,
            input.link,
            &code,
            &self.deadline,
            self.refuse,
            &self.contact,
        ];
        paragraphs.extend(self.privacy.as_deref());
        let mut text = paragraphs.join("\n\n");
        text.push('\n');
        text
    }

    fn html(&self, input: &MessageInput<'_>) -> String {
        let link = escape_html(input.link);
        let paragraph = |text: &str| format!("<p style=\"white-space:pre-line\">{}</p>\n", escape_html(text));
        let head = [self.greeting.as_str(), &self.purpose, self.action].map(paragraph).concat();
        let tail = [self.deadline.as_str(), self.refuse, &self.contact].map(paragraph).concat();
        format!(
            "<!doctype html>\n<html lang=\"{language}\">\n<head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{subject}</title></head>\n\
             <body style=\"margin:0 auto;padding:16px;max-width:32rem;font:16px/1.5 system-ui,sans-serif\">\n{head}\
             <p><a href=\"{link}\" style=\"display:inline-block;padding:12px 20px;border-radius:8px;\
             background:#0b57d0;color:#fff;text-decoration:none\">{button}</a></p>\n\
             <p style=\"word-break:break-all\">{link}</p>\n\
             <p>{code_label}<br><b style=\"font-size:28px;letter-spacing:4px\">{code}</b></p>\n\
             {tail}{privacy}</body>\n</html>\n",
            language = input.locale.tag(),
            subject = escape_html(&self.subject),
            button = self.button,
            code_label = self.code_label,
            code = escape_html(input.code),
            privacy = self.privacy.as_deref().map(paragraph).unwrap_or_default(),
        )
    }
}

/// The text for a phone. What must be told comes first; contact and privacy notice are cut to what room is left, and stand
/// whole on the page that the link opens.
fn phone_text(input: &MessageInput<'_>) -> String {
    let organisation = phone_words(input.organisation, 40);
    let channel = channel_label(input.channel, input.locale);
    let until = deadline(input.expires_at, input.time_zone, input.locale);
    let (link, code) = (input.link, input.code);
    let (mut text, contact, privacy) = match input.locale {
        Locale::En => (
            format!(
                "{organisation}: our operations team wants to reach you by {channel} in incidents. Nothing happens \
                 unless you confirm. Open {link} and type the code {code} by {until}. Not you, or no thanks? \
                 Press Stop on the same page."
            ),
            " Questions: ",
            ". Privacy: ",
        ),
        Locale::ZhCn => (
            format!(
                "{organisation}：运维团队希望在发生故障时通过{channel}联系您，未经您确认不会启用。请在 {until} 之前打开 \
                 {link} 输入验证码 {code}。不是您本人或不愿意？请在同一页面点击“停止”。"
            ),
            "咨询：",
            "。隐私声明：",
        ),
    };
    append(&mut text, contact, Some(input.contact), 60);
    append(&mut text, privacy, input.privacy_notice, 120);
    text
}

/// Appends a label and the words behind it, cut to the room left; nothing where that would be a stump.
fn append(text: &mut String, label: &str, words: Option<&str>, longest: usize) {
    const STUMP: usize = 12;
    let room = PHONE_TEXT_MAX.saturating_sub(text.chars().count() + label.chars().count()).min(longest);
    let words = words.map(|words| phone_words(words, room)).filter(|words| !words.is_empty());
    if let Some(words) = words.filter(|words| room >= STUMP || !words.ends_with('…')) {
        text.push_str(label);
        text.push_str(&words);
    }
}

/// One line without the brackets that carriers read as a sender's signature.
fn phone_words(text: &str, longest: usize) -> String {
    one_line(text, longest)
        .chars()
        .map(|c| match c {
            '[' | '【' => '(',
            ']' | '】' => ')',
            c => c,
        })
        .collect()
}

/// The person's name, which may come from someone who wishes ill: mail programs turn what looks like an address of the web
/// into a link, so that its `://` is broken.
fn person(name: &str) -> String {
    one_line(name, NAME_MAX).replace("://", ": //")
}
