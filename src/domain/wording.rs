//! The words that the confirmation message and the confirm page share, so that both tell a person the same.

use chrono::{DateTime, Offset, Utc};
use chrono_tz::Tz;

use super::{account::Locale, channel::ChannelKind};

/// The channel as a person calls it, fit for "reach you by …".
pub const fn channel_label(channel: ChannelKind, locale: Locale) -> &'static str {
    match (locale, channel) {
        (Locale::En, ChannelKind::Sms) => "text message",
        (Locale::En, ChannelKind::Voice) => "phone call",
        (Locale::En, ChannelKind::Email) => "e-mail",
        (Locale::En, ChannelKind::Wecom) => "WeCom",
        (Locale::En, ChannelKind::Dingtalk) => "DingTalk",
        (Locale::En, ChannelKind::Lark) => "Lark",
        (Locale::ZhCn, ChannelKind::Sms) => "短信",
        (Locale::ZhCn, ChannelKind::Voice) => "语音电话",
        (Locale::ZhCn, ChannelKind::Email) => "电子邮件",
        (Locale::ZhCn, ChannelKind::Wecom) => "企业微信",
        (Locale::ZhCn, ChannelKind::Dingtalk) => "钉钉",
        (Locale::ZhCn, ChannelKind::Lark) => "飞书",
    }
}

/// Why the person is asked. Plain text.
pub fn purpose(organisation: &str, channel: ChannelKind, locale: Locale) -> String {
    let channel = channel_label(channel, locale);
    match locale {
        Locale::En => format!(
            "The operations team of {organisation} wants to reach you by {channel} when there is an incident. \
             Nothing happens unless you confirm."
        ),
        Locale::ZhCn => {
            format!(
                "{organisation} 的运维团队希望在发生故障时通过{channel}联系您。在您确认之前，不会启用这种联系方式。"
            )
        }
    }
}

/// A deadline with date, time to the minute and offset, as in "2 May 2026, 14:30 (UTC+08:00)". Seconds are cut off, so that
/// what is shown is never later than what holds. The offset stands there since zone abbreviations are ambiguous: CST is
/// China's time and America's.
pub fn deadline(at: DateTime<Utc>, zone: Tz, locale: Locale) -> String {
    let local = at.with_timezone(&zone);
    let offset =
        if local.offset().fix().local_minus_utc() == 0 { "UTC".to_owned() } else { local.format("UTC%:z").to_string() };
    match locale {
        Locale::En => format!("{} ({offset})", local.format("%-d %B %Y, %H:%M")),
        Locale::ZhCn => format!("{}（{offset}）", local.format("%Y年%-m月%-d日 %H:%M")),
    }
}

/// One line of at most `longest` characters: control characters and those that turn the writing direction are left out, white
/// space becomes one space, and what is cut off leaves an ellipsis.
pub fn one_line(text: &str, longest: usize) -> String {
    let visible: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !hidden(*c)).collect();
    let line = visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if line.chars().count() <= longest {
        return line;
    }
    let mut cut: String = line.chars().take(longest.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Controls, and the marks of Unicode's bidirectional algorithm (UAX 9), which can make a text read as another.
fn hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
