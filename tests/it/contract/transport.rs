//! What every transport must keep to, shown on the outbox and on SMTP.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use chrono::DateTime;
use rollcall::{
    adapter::transport::{
        outbox::OutboxTransport,
        smtp::{Sender, SmtpTransport},
    },
    config::{SmtpConfig, SmtpTls},
    domain::{account::MailAddress, channel::ChannelKind},
    port::transport::{Message, Transport, TransportError},
};

use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
    smtp::SmtpCatcher,
};

const RECIPIENT: &str = "wang.fang@demo.example";
const CODE: &str = "042117";

/// A message as it arrived.
#[derive(Debug, PartialEq, Eq)]
struct Arrived {
    id: String,
    endpoint: String,
    subject: String,
    text: String,
}

/// A transport under test, and the place where its messages arrive.
#[async_trait]
trait Bench: Sync {
    fn transport(&self) -> &dyn Transport;

    /// What arrived so far, one entry for each message id: the last one.
    async fn arrived(&self) -> Vec<Arrived>;

    /// The other side breaks down.
    async fn break_down(&self);
}

macro_rules! contract {
    ($($clause:ident)*) => {
        both_dbs! { $($clause)* }

        mod smtp {
            $(#[tokio::test]
            async fn $clause() {
                super::clause::$clause(&super::Smtp::start().await).await;
            })*
        }

        $(async fn $clause(database: Database) {
            clause::$clause(&Outbox::start(database).await).await;
        })*
    };
}

contract! {
    a_message_arrives_whole_and_unharmed
    a_message_that_is_sent_again_is_recognised_by_its_id
    messages_do_not_mix
    a_carrier_that_is_down_may_be_tried_again_and_the_error_tells_nothing_of_the_person
}

fn message(id: &str) -> Message {
    Message {
        account: "demo".parse().expect("an account"),
        channel: ChannelKind::Email,
        endpoint: RECIPIENT.to_owned(),
        subject: "示例公司：请确认 – \"quoted\" <tag> 100 %".to_owned(),
        text: format!(
            "王芳，您好：\n\n.a line that begins with a dot\n.\n{}\nhttps://roll.example.org/c/abc\n\n{CODE}\n",
            "a very long line ".repeat(100)
        ),
        html: "<p>王芳，您好：</p>\n".to_owned(),
        link: "https://roll.example.org/c/abc".to_owned(),
        code: CODE.to_owned(),
        message_id: id.to_owned(),
        sent_at: DateTime::from_timestamp(1_736_928_550, 0).expect("a moment"),
    }
}

/// What each transport must keep to.
mod clause {
    use super::*;

    pub async fn a_message_arrives_whole_and_unharmed(bench: &dyn Bench) {
        let message = message("a1b2");
        bench.transport().send(&message).await.expect("it is taken");
        let wanted = Arrived {
            id: "a1b2".to_owned(),
            endpoint: RECIPIENT.to_owned(),
            subject: message.subject,
            text: message.text,
        };
        assert_eq!(bench.arrived().await, [wanted]);
    }

    pub async fn a_message_that_is_sent_again_is_recognised_by_its_id(bench: &dyn Bench) {
        bench.transport().send(&message("a1b2")).await.expect("it is taken");
        let again = Message { text: "with a new link\n".to_owned(), ..message("a1b2") };
        bench.transport().send(&again).await.expect("it is taken");
        let arrived = bench.arrived().await;
        assert_eq!(arrived.len(), 1, "{arrived:?}");
        assert_eq!((arrived[0].id.as_str(), arrived[0].text.as_str()), ("a1b2", "with a new link\n"));
    }

    pub async fn messages_do_not_mix(bench: &dyn Bench) {
        for n in 0..5 {
            let endpoint = format!("p-{n}@demo.example");
            let one = Message { endpoint, text: format!("text {n}\n"), ..message(&format!("id{n}")) };
            bench.transport().send(&one).await.expect("it is taken");
        }
        let mut arrived = bench.arrived().await;
        arrived.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let seen: Vec<_> = arrived.into_iter().map(|one| (one.id, one.endpoint, one.text)).collect();
        let wanted = (0..5).map(|n| (format!("id{n}"), format!("p-{n}@demo.example"), format!("text {n}\n")));
        assert_eq!(seen, wanted.collect::<Vec<_>>());
    }

    pub async fn a_carrier_that_is_down_may_be_tried_again_and_the_error_tells_nothing_of_the_person(
        bench: &dyn Bench,
    ) {
        bench.break_down().await;
        let error = bench.transport().send(&message("a1b2")).await.expect_err("nobody takes it");
        assert!(matches!(error, TransportError::Unavailable(_)), "{error:?}");
        let told = format!("{error} {error:?}");
        for secret in [RECIPIENT, "wang.fang", CODE, "roll.example.org"] {
            assert!(!told.contains(secret), "{secret} stands in: {told}");
        }
    }
}

struct Outbox {
    app: TestApp,
    transport: OutboxTransport,
}

impl Outbox {
    async fn start(database: Database) -> Self {
        let app = TestApp::start(database).await;
        let transport = OutboxTransport::new(app.app.services.store().clone());
        Self { app, transport }
    }
}

#[async_trait]
impl Bench for Outbox {
    fn transport(&self) -> &dyn Transport {
        &self.transport
    }

    async fn arrived(&self) -> Vec<Arrived> {
        let arrive = |kept: rollcall::store::OutboxMessage| {
            assert_eq!((kept.link.as_str(), kept.code.as_str()), ("https://roll.example.org/c/abc", CODE));
            Arrived { id: kept.message_id, endpoint: kept.endpoint, subject: kept.subject, text: kept.text }
        };
        self.app.outbox().await.into_iter().map(arrive).collect()
    }

    async fn break_down(&self) {
        self.app.database().close_by_ref().await.expect("the database closes");
    }
}

struct Smtp {
    catcher: tokio::sync::Mutex<Option<SmtpCatcher>>,
    transport: SmtpTransport,
}

impl Smtp {
    async fn start() -> Self {
        let catcher = SmtpCatcher::start().await;
        let settings = SmtpConfig {
            host: catcher.address().ip().to_string(),
            port: catcher.address().port(),
            tls: SmtpTls::None,
            credentials: None,
            timeout: Duration::from_secs(10),
            extra_certificates: None,
        };
        let sender = Sender {
            from: MailAddress { name: Some("Demo".to_owned()), address: "ops@demo.example".to_owned() },
            reply_to: None,
        };
        let senders = HashMap::from([("demo".parse().expect("an account"), sender)]);
        let transport = SmtpTransport::new(&settings, senders).expect("settings that can be used");
        Self { catcher: tokio::sync::Mutex::new(Some(catcher)), transport }
    }
}

#[async_trait]
impl Bench for Smtp {
    fn transport(&self) -> &dyn Transport {
        &self.transport
    }

    async fn arrived(&self) -> Vec<Arrived> {
        let catcher = self.catcher.lock().await;
        let catcher = catcher.as_ref().expect("the mail server");
        let mut all: Vec<Arrived> = Vec::new();
        while let Some(mail) = catcher.mail_at_hand().await {
            let text = mail.part("text/plain").expect("a text");
            let id = mail.header("Message-ID").expect("an id");
            let arrived = Arrived {
                id: id.trim_start_matches('<').split('@').next().expect("its left part").to_owned(),
                endpoint: mail.to.join(", "),
                subject: mail.header("Subject").expect("a subject"),
                // RFC 2046, 5.1.1: the line break before a boundary belongs to the boundary.
                text: text.strip_suffix('\n').expect("a line break").to_owned(),
            };
            all.retain(|one| one.id != arrived.id);
            all.push(arrived);
        }
        all
    }

    async fn break_down(&self) {
        self.catcher.lock().await.take();
    }
}
