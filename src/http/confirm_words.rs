//! The confirm page's own sentences. They go into the page as they are: none holds a character that HTML would read.

use crate::domain::{account::Locale, channel::ChannelKind, wording::channel_label};

/// The sentences in one language.
pub(super) struct Words {
    locale: Locale,
    pub(super) form_title: &'static str,
    pub(super) organisation: &'static str,
    pub(super) channel: &'static str,
    pub(super) endpoint: &'static str,
    pub(super) deadline: &'static str,
    pub(super) contact: &'static str,
    pub(super) privacy: &'static str,
    pub(super) code: &'static str,
    pub(super) confirm: &'static str,
    pub(super) stop: &'static str,
    pub(super) confirmed_title: &'static str,
    pub(super) confirmed: &'static str,
    pub(super) already_title: &'static str,
    pub(super) already: &'static str,
    pub(super) stopped_title: &'static str,
    pub(super) stopped: &'static str,
    pub(super) unknown_title: &'static str,
    pub(super) unknown: &'static str,
    pub(super) burnt_title: &'static str,
    pub(super) burnt: &'static str,
    pub(super) limited_title: &'static str,
    pub(super) limited: &'static str,
    pub(super) unavailable_title: &'static str,
    pub(super) unavailable: &'static str,
}

impl Words {
    pub(super) const fn of(locale: Locale) -> &'static Self {
        match locale {
            Locale::En => &ENGLISH,
            Locale::ZhCn => &CHINESE,
        }
    }

    pub(super) const fn channel_label(&self, channel: ChannelKind) -> &'static str {
        channel_label(channel, self.locale)
    }

    pub(super) fn wrong_code(&self, left: u32) -> String {
        match (self.locale, left) {
            (Locale::En, 1) => "That is not the code in the message. 1 try is left.".to_owned(),
            (Locale::En, left) => format!("That is not the code in the message. {left} tries are left."),
            (Locale::ZhCn, left) => format!("验证码与消息中的不一致，还可以尝试 {left} 次。"),
        }
    }
}

const ENGLISH: Words = Words {
    locale: Locale::En,
    form_title: "May we reach you in incidents?",
    organisation: "Asked by",
    channel: "Channel",
    endpoint: "Address or number",
    deadline: "Please answer by",
    contact: "Questions",
    privacy: "Privacy notice",
    code: "Code from the message (6 digits)",
    confirm: "Confirm",
    stop: "Not me / stop",
    confirmed_title: "Confirmed, thank you",
    confirmed: "You will be reached here when there is an incident. You can stop this at any time on this page.",
    already_title: "Already confirmed",
    already: "You confirmed earlier. There is nothing more to do. You can stop this at any time on this page.",
    stopped_title: "Stopped",
    stopped: "You will not be reached here, and no more messages of this kind come to you. If that was a mistake, ask for \
              a new message.",
    unknown_title: "This link does not work",
    unknown: "It may be incomplete or too old, or a newer message has replaced it. Please use the link in the latest \
              message, or ask for a new one. Nothing has changed.",
    burnt_title: "Too many wrong codes",
    burnt: "For your safety this link no longer works, and nothing has changed. Ask for a new message if you want to \
            confirm.",
    limited_title: "Please wait a minute",
    limited: "Too many links that do not work were opened from your network. Nothing has changed. Please open your link \
              again in a minute.",
    unavailable_title: "Something went wrong",
    unavailable: "The fault is ours and nothing has changed. Please try again in a few minutes.",
};

const CHINESE: Words = Words {
    locale: Locale::ZhCn,
    form_title: "发生故障时可以联系您吗？",
    organisation: "询问方",
    channel: "联系方式",
    endpoint: "地址或号码",
    deadline: "请在此之前答复",
    contact: "如有疑问，请联系",
    privacy: "隐私声明",
    code: "消息中的验证码（6 位数字）",
    confirm: "确认",
    stop: "不是我 / 停止",
    confirmed_title: "已确认，谢谢",
    confirmed: "发生故障时，我们将通过此方式联系您。您可以随时在本页面停止。",
    already_title: "您已确认过",
    already: "您此前已经确认，无需再做任何操作。您可以随时在本页面停止。",
    stopped_title: "已停止",
    stopped: "我们不会通过此方式联系您，也不会再向您发送此类消息。如果是误操作，请联系以下人员重新发送。",
    unknown_title: "链接无效",
    unknown: "链接可能不完整、已过期，或已被更新的消息取代。请使用最新消息中的链接，或请对方重新发送。没有任何改变。",
    burnt_title: "验证码错误次数过多",
    burnt: "为了您的安全，该链接已失效，没有任何改变。如需确认，请联系以下人员重新发送。",
    limited_title: "请稍候一分钟",
    limited: "您的网络中有人打开了过多无效链接，没有任何改变。请一分钟后再次打开您的链接。",
    unavailable_title: "出错了",
    unavailable: "这是我们的问题，没有任何改变。请几分钟后重试。",
};
