//! What people read: the confirmation message and the confirm page.

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use rollcall::{
    adapter::provider::message::{MessageInput, MessageText, PHONE_LINK_MAX, PHONE_TEXT_MAX, compose},
    domain::{account::Locale, channel::ChannelKind, html::escape_html, wording::deadline},
    http::confirm_page::{AnsweredView, Asker, FormView, Page, render, status},
};

const LINK: &str = "https://roll.example.org/confirm/AAAAAAAAAAAAAAAAAAAAAA";
const LOCALES: [Locale; 2] = [Locale::En, Locale::ZhCn];

fn expires_at() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 5, 2, 17, 30, 59).single().expect("a time")
}

fn input(channel: ChannelKind, locale: Locale) -> MessageInput<'static> {
    MessageInput {
        organisation: "Example Cloud",
        name: "王芳",
        channel,
        link: LINK,
        code: "042117",
        expires_at: expires_at(),
        time_zone: Tz::Asia__Shanghai,
        contact: "ops@example.org",
        privacy_notice: Some("We keep your address until you leave."),
        locale,
    }
}

/// The deadline as both languages must show it: in China it is the next day already.
const fn shown_deadline(locale: Locale) -> &'static str {
    match locale {
        Locale::En => "3 May 2026, 01:30 (UTC+08:00)",
        Locale::ZhCn => "2026年5月3日 01:30（UTC+08:00）",
    }
}

const fn stop_words(locale: Locale) -> (&'static str, &'static str) {
    match locale {
        Locale::En => ("Nothing happens unless you confirm", "Not me / stop"),
        Locale::ZhCn => ("在您确认之前", "不是我 / 停止"),
    }
}

#[track_caller]
fn assert_contains(text: &str, wanted: &[&str]) {
    for words in wanted {
        assert!(text.contains(words), "{words:?} is missing from:\n{text}");
    }
}

#[test]
fn a_mail_tells_who_asks_why_until_when_and_how_to_refuse_in_both_parts_and_languages() {
    for locale in LOCALES {
        let MessageText { subject, text, html } = compose(&input(ChannelKind::Email, locale));
        let (nothing_happens, stop) = stop_words(locale);
        assert_contains(&subject, &["Example Cloud"]);
        let facts = [
            "Example Cloud",
            "王芳",
            LINK,
            "042117",
            shown_deadline(locale),
            "ops@example.org",
            "We keep your address until you leave.",
            nothing_happens,
        ];
        assert_contains(&text, &facts);
        assert_contains(&text, &[stop]);
        assert_contains(&html, &facts);
        assert_contains(&html, &[stop, &format!("<a href=\"{LINK}\"")]);
    }
}

#[test]
fn a_mail_speaks_the_language_that_is_asked_for() {
    assert_contains(&compose(&input(ChannelKind::Email, Locale::En)).text, &["when there is an incident", "e-mail"]);
    assert_contains(&compose(&input(ChannelKind::Email, Locale::En)).html, &["<html lang=\"en\">"]);
    assert_contains(&compose(&input(ChannelKind::Email, Locale::ZhCn)).text, &["发生故障时", "电子邮件"]);
    assert_contains(&compose(&input(ChannelKind::Email, Locale::ZhCn)).html, &["<html lang=\"zh-CN\">"]);
}

#[test]
fn a_hostile_name_stays_text() {
    for locale in LOCALES {
        let name = "<b>&\"'\r\nBcc: x@example.com [x](http://evil)";
        let MessageText { text, html, .. } =
            compose(&MessageInput { name, organisation: "<i>Org</i>", ..input(ChannelKind::Email, locale) });
        assert!(!html.contains("<b>&") && !html.contains("<i>"), "{html}");
        assert_contains(
            &html,
            &["&lt;b&gt;&amp;&quot;&#39; Bcc: x@example.com [x](http: //evil)", "&lt;i&gt;Org&lt;/i&gt;"],
        );
        assert_contains(&text, &["<b>&\"' Bcc: x@example.com [x](http: //evil)"]);
        assert_eq!(html.matches("href=").count(), 1, "the only link is ours");
    }
}

#[test]
fn an_html_mail_loads_nothing_from_elsewhere() {
    for locale in LOCALES {
        let html = compose(&input(ChannelKind::Email, locale)).html;
        for forbidden in ["<script", "<img", "<link", "src=", "url(", "@import"] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
        assert_eq!(html.matches("://").count(), html.matches(LINK).count(), "addresses other than the link: {html}");
    }
}

#[test]
fn a_text_for_the_phone_tells_the_same_in_few_characters() {
    for locale in LOCALES {
        for channel in [ChannelKind::Sms, ChannelKind::Voice] {
            let text = compose(&input(channel, locale)).text;
            assert!(text.chars().count() <= PHONE_TEXT_MAX, "{} characters: {text}", text.chars().count());
            let wanted =
                ["Example Cloud", LINK, "042117", shown_deadline(locale), "ops@example.org", "We keep your address"];
            assert_contains(&text, &wanted);
            assert_contains(
                &text,
                &[match locale {
                    Locale::En => "Press Stop",
                    Locale::ZhCn => "点击“停止”",
                }],
            );
        }
    }
}

#[test]
fn a_text_for_the_phone_keeps_its_bounds_whatever_the_account_is_called() {
    let long = "【示例】[Example] 云 ".repeat(80);
    let link = format!("https://roll.example.org/{}", "a".repeat(PHONE_LINK_MAX - 25));
    for locale in LOCALES {
        for channel in [ChannelKind::Sms, ChannelKind::Voice] {
            let text = compose(&MessageInput {
                organisation: &long,
                name: &long,
                contact: &long,
                privacy_notice: Some(&long),
                link: &link,
                ..input(channel, locale)
            })
            .text;
            assert!(text.chars().count() <= PHONE_TEXT_MAX, "{} characters: {text}", text.chars().count());
            assert!(!text.contains(['[', ']', '【', '】']), "{text}");
            assert_contains(&text, &[&link, "042117", shown_deadline(locale)]);
        }
    }
}

#[test]
fn a_deadline_is_told_in_the_accounts_zone_and_summer_time() {
    let shown = |zone| deadline(expires_at(), zone, Locale::En);
    assert_eq!(shown(Tz::UTC), "2 May 2026, 17:30 (UTC)");
    assert_eq!(shown(Tz::Europe__Berlin), "2 May 2026, 19:30 (UTC+02:00)");
    assert_eq!(shown(Tz::Asia__Kolkata), "2 May 2026, 23:00 (UTC+05:30)");
}

#[test]
fn escaping_leaves_no_markup_and_no_control_characters() {
    assert_eq!(escape_html("a<b>&\"c\"'d'\u{0}\n中"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;\n中");
}

fn form(tries_left: Option<u32>) -> FormView<'static> {
    FormView {
        organisation: "Example <Cloud>",
        channel: ChannelKind::Email,
        masked_endpoint: "w***@example.com",
        expires_at: expires_at(),
        time_zone: Tz::Asia__Shanghai,
        contact: "ops@example.org",
        privacy_notice: Some("We keep your address\nuntil you <leave>."),
        stop_path: "/confirm/AAAA/stop?a=1&b=\"2\"",
        tries_left,
    }
}

fn every_page() -> Vec<(Page<'static>, u16)> {
    let asker = Asker { organisation: "Example <Cloud>", contact: "ops@example.org" };
    let answered = AnsweredView {
        organisation: "Example <Cloud>",
        channel: ChannelKind::Sms,
        masked_endpoint: "+86 *** 0000",
        contact: "ops@example.org",
        stop_path: "/confirm/AAAA/stop",
    };
    vec![
        (Page::Form(form(None)), 200),
        (Page::Form(form(Some(1))), 422),
        (Page::Confirmed(answered), 200),
        (Page::AlreadyConfirmed(answered), 200),
        (Page::Stopped(asker), 200),
        (Page::Unknown, 404),
        (Page::Burnt(asker), 429),
        (Page::Limited, 429),
        (Page::Unavailable, 503),
    ]
}

#[test]
fn every_page_is_whole_and_free_of_scripts_and_of_anything_from_elsewhere() {
    for locale in LOCALES {
        let mut titles = std::collections::HashSet::new();
        for (page, code) in every_page() {
            let html = render(&page, locale);
            assert_eq!(status(&page).as_u16(), code);
            assert_contains(&html, &["<!doctype html>", "name=\"viewport\"", "</html>"]);
            assert_contains(
                &html,
                &[match locale {
                    Locale::En => "<html lang=\"en\">",
                    Locale::ZhCn => "<html lang=\"zh-CN\">",
                }],
            );
            for forbidden in [
                "<script",
                "://",
                "src=",
                "href=",
                "url(",
                "@import",
                "onclick",
                "javascript:",
                " style=",
                "<Cloud>",
                "<leave>",
            ] {
                assert!(!html.contains(forbidden), "{forbidden} in {html}");
            }
            let title = html.split("<title>").nth(1).and_then(|rest| rest.split('<').next()).expect("a title");
            titles.insert(title.to_owned());
        }
        assert_eq!(titles.len(), 8, "one title a kind of page: {titles:?}");
    }
}

/// The forms of a page, each from its tag to its end.
fn forms(html: &str) -> Vec<&str> {
    html.split("<form ").skip(1).map(|rest| rest.split("</form>").next().expect("an end")).collect()
}

#[test]
fn the_first_form_has_the_code_as_its_only_field_and_the_second_stops() {
    for locale in LOCALES {
        let html = render(&Page::Form(form(None)), locale);
        let [confirm, stop] = forms(&html)[..] else { panic!("two forms: {html}") };
        assert!(confirm.starts_with("method=\"post\">"), "it posts to its own address: {confirm}");
        assert_eq!(confirm.matches("<input").count(), 1);
        assert_eq!(["<select", "<textarea", "hidden"].map(|field| confirm.matches(field).count()), [0, 0, 0]);
        let field = ["name=\"code\"", "inputmode=\"numeric\"", "autocomplete=\"one-time-code\"", "maxlength=\"6\""];
        assert_contains(confirm, &field);
        assert!(stop.starts_with("method=\"post\" action=\"/confirm/AAAA/stop?a=1&amp;b=&quot;2&quot;\""), "{stop}");
        assert_eq!(stop.matches("<input").count(), 0);
        assert_contains(stop, &[stop_words(locale).1]);
    }
}

#[test]
fn the_form_tells_what_the_message_tells() {
    for locale in LOCALES {
        let html = render(&Page::Form(form(None)), locale);
        let facts = [
            "Example &lt;Cloud&gt;",
            "w***@example.com",
            shown_deadline(locale),
            "ops@example.org",
            "We keep your address\nuntil you &lt;leave&gt;.",
            stop_words(locale).0,
        ];
        assert_contains(&html, &facts);
        assert!(!html.contains("role=\"alert\""));
    }
}

#[test]
fn a_wrong_code_shows_the_form_again_with_the_tries_left() {
    let shown = |left, locale| render(&Page::Form(form(Some(left))), locale);
    assert_contains(&shown(4, Locale::En), &["role=\"alert\"", "4 tries are left", "aria-invalid", "name=\"code\""]);
    assert_contains(&shown(1, Locale::En), &["1 try is left"]);
    assert_contains(&shown(4, Locale::ZhCn), &["role=\"alert\"", "还可以尝试 4 次", "name=\"code\""]);
}

#[test]
fn whoever_confirmed_can_still_stop_and_nobody_else_finds_a_form() {
    for (page, _) in every_page() {
        let html = render(&page, Locale::En);
        let expected = match page {
            Page::Form(_) => 2,
            Page::Confirmed(_) | Page::AlreadyConfirmed(_) => 1,
            Page::Stopped(_) | Page::Unknown | Page::Burnt(_) | Page::Limited | Page::Unavailable => 0,
        };
        assert_eq!(forms(&html).len(), expected, "{html}");
    }
}
