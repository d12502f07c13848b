//! Mail over a real SMTP conversation.

use std::{collections::HashMap, time::Duration};

use chrono::DateTime;
use rollcall::{
    adapter::transport::smtp::{Sender, SmtpSettingsError, SmtpTransport},
    config::{Secret, SmtpConfig, SmtpCredentials, SmtpTls},
    domain::{account::MailAddress, channel::ChannelKind, id::AccountId},
    port::transport::{Message, Transport, TransportError},
};
use tokio::{net::TcpListener, time::timeout};

use crate::harness::smtp::{CatcherOptions, CatcherTls, SmtpCatcher};

const RECIPIENT: &str = "wang.fang@example.com";

fn settings(catcher: &SmtpCatcher) -> SmtpConfig {
    SmtpConfig {
        host: catcher.address().ip().to_string(),
        port: catcher.address().port(),
        tls: SmtpTls::None,
        credentials: None,
        timeout: Duration::from_secs(10),
        extra_certificates: None,
    }
}

fn senders() -> HashMap<AccountId, Sender> {
    let sender = Sender {
        from: address("Example 运维, night", "ops@mail.example.org"),
        reply_to: Some(address("Duty", "duty@example.org")),
    };
    HashMap::from([("demo".parse().expect("an account"), sender)])
}

fn address(name: &str, address: &str) -> MailAddress {
    MailAddress { name: Some(name.to_owned()), address: address.to_owned() }
}

fn transport(settings: SmtpConfig) -> SmtpTransport {
    SmtpTransport::new(&settings, senders()).expect("settings that can be used")
}

fn message() -> Message {
    Message {
        account: "demo".parse().expect("an account"),
        channel: ChannelKind::Email,
        endpoint: RECIPIENT.to_owned(),
        subject: "Example Ops：请确认您的邮箱".to_owned(),
        text: "王芳，您好：\n\n.the code is 042117\n.\nhttps://roll.example.org/c/abc\n".to_owned(),
        html: "<!doctype html>\n<p>王芳，您好：</p>\n<p>042117</p>\n".to_owned(),
        link: "https://roll.example.org/c/abc".to_owned(),
        code: "042117".to_owned(),
        message_id: "channel-subscription:01977e2b".to_owned(),
        sent_at: DateTime::from_timestamp(1_777_703_400, 0).expect("a time"),
    }
}

/// Sends to a catcher that behaves like that; gives the error and makes sure that no mail was taken.
async fn refusal(options: CatcherOptions, change: impl FnOnce(&mut SmtpConfig)) -> TransportError {
    let catcher = SmtpCatcher::start_with(options).await;
    let mut settings = settings(&catcher);
    change(&mut settings);
    let outcome = timeout(Duration::from_secs(10), transport(settings).send(&message())).await;
    let error = outcome.expect("an outcome in time").expect_err("the mail is refused");
    assert!(catcher.mail_at_hand().await.is_none(), "a mail was taken");
    let text = format!("{error} {error:?}");
    assert!(!text.contains(RECIPIENT) && !text.contains("wang.fang"), "the recipient stands in: {text}");
    error
}

fn recipient_answers(reply: &str) -> CatcherOptions {
    CatcherOptions {
        recipient_replies: HashMap::from([(RECIPIENT.to_owned(), reply.to_owned())]),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_mail_arrives_with_both_parts_and_its_headers() {
    let catcher = SmtpCatcher::start().await;
    transport(settings(&catcher)).send(&message()).await.expect("the mail is taken");
    let mail = catcher.next_mail().await;

    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("ops@mail.example.org", &[RECIPIENT.to_owned()][..]));
    let header = |name| mail.header(name).unwrap_or_else(|| panic!("no {name} in {}", mail.content));
    assert_eq!(header("From"), "Example 运维, night <ops@mail.example.org>");
    assert_eq!(header("Reply-To"), "Duty <duty@example.org>");
    assert_eq!(header("To"), RECIPIENT);
    assert_eq!(header("Subject"), "Example Ops：请确认您的邮箱");
    assert_eq!(header("Date"), "Sat, 02 May 2026 06:30:00 +0000");
    assert_eq!(header("Message-ID"), "<channel-subscription-01977e2b@mail.example.org>");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert!(header("Content-Type").starts_with("multipart/alternative"));
    assert_eq!(mail.part("text/plain; charset=utf-8").expect("a text part").trim_end(), message().text.trim_end());
    assert_eq!(mail.part("text/html; charset=utf-8").expect("an HTML part").trim_end(), message().html.trim_end());
    assert!(mail.content.is_ascii(), "a server without 8BITMIME gets ASCII");
}

#[tokio::test]
async fn the_transport_signs_in_where_the_server_wants_it() {
    let credentials = Some(("ops".to_owned(), "s3cret".to_owned()));
    let catcher =
        SmtpCatcher::start_with(CatcherOptions { credentials: credentials.clone(), ..Default::default() }).await;
    let credentials =
        credentials.map(|(username, password)| SmtpCredentials { username, password: Secret::new(password) });
    let settings = SmtpConfig { credentials, ..settings(&catcher) };
    transport(settings).send(&message()).await.expect("the mail is taken");
    assert_eq!(catcher.next_mail().await.user.as_deref(), Some("ops"));
}

#[tokio::test]
async fn a_wrong_password_fails_nobody_who_waits_and_is_not_told() {
    let options = CatcherOptions { credentials: Some(("ops".to_owned(), "s3cret".to_owned())), ..Default::default() };
    let error = refusal(options, |settings| {
        let credentials = SmtpCredentials { username: "ops".to_owned(), password: Secret::new("guessed-pass") };
        settings.credentials = Some(credentials);
    })
    .await;
    assert!(matches!(&error, TransportError::Unavailable(text) if text.contains("535 5.7.8")), "{error:?}");
    assert!(!error.to_string().contains("guessed-pass"));
}

#[tokio::test]
async fn a_sender_that_the_server_does_not_accept_is_refused() {
    let options = CatcherOptions { sender_reply: Some("553 5.7.1 not your sender".to_owned()), ..Default::default() };
    assert!(matches!(refusal(options, |_| ()).await, TransportError::SenderRefused(_)));
}

#[tokio::test]
async fn a_recipient_that_does_not_exist_is_refused() {
    let reply = format!("550 5.1.1 <{RECIPIENT}>: unknown");
    assert_eq!(refusal(recipient_answers(&reply), |_| ()).await, TransportError::EndpointRefused);
    assert_eq!(refusal(recipient_answers("550 no such user"), |_| ()).await, TransportError::EndpointRefused);
}

#[tokio::test]
async fn a_recipient_that_is_busy_can_be_tried_again() {
    let reply = format!("451 4.2.1 <{RECIPIENT}>: try later");
    let error = refusal(recipient_answers(&reply), |_| ()).await;
    assert_eq!(error, TransportError::Unavailable("RCPT TO: 451 4.2.1".to_owned()));
}

#[tokio::test]
async fn a_server_that_does_not_relay_for_us_blames_the_sender_and_not_the_recipient() {
    let reply = format!("554 5.7.1 <{RECIPIENT}>: Relay access denied");
    let error = refusal(recipient_answers(&reply), |_| ()).await;
    assert_eq!(error, TransportError::SenderRefused("RCPT TO: 554 5.7.1".to_owned()));
}

#[tokio::test]
async fn a_reply_that_is_not_smtp_can_be_tried_again_and_is_not_quoted() {
    let error = refusal(recipient_answers(&format!("so you want <{RECIPIENT}>?")), |_| ()).await;
    assert!(matches!(error, TransportError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn content_is_refused_for_good_or_for_now() {
    let content = |reply: &str| CatcherOptions { content_reply: Some(reply.to_owned()), ..Default::default() };
    let for_good = refusal(content(&format!("554 5.7.1 spam for <{RECIPIENT}>")), |_| ()).await;
    assert_eq!(for_good, TransportError::SenderRefused("DATA: 554 5.7.1".to_owned()));
    let for_now = refusal(content("452 4.3.1 disk full"), |_| ()).await;
    assert_eq!(for_now, TransportError::Unavailable("DATA: 452 4.3.1".to_owned()));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_can_be_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("the address").port();
    drop(listener);
    let catcher = SmtpCatcher::start().await;
    let error = transport(SmtpConfig { port, ..settings(&catcher) }).send(&message()).await;
    assert!(matches!(error, Err(TransportError::Unavailable(_))), "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_at_the_deadline() {
    let silent = CatcherOptions { silent: true, ..Default::default() };
    let error = refusal(silent, |settings| settings.timeout = Duration::from_millis(50)).await;
    assert_eq!(error, TransportError::Unavailable("no outcome within 0.05 s".to_owned()));
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing_in_the_clear() {
    let error = refusal(CatcherOptions::default(), |settings| settings.tls = SmtpTls::StartTls).await;
    assert!(matches!(error, TransportError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_mail_goes_encrypted_by_starttls_and_by_tls_to_a_server_that_is_trusted() {
    for (tls, at_once) in [(SmtpTls::StartTls, false), (SmtpTls::Tls, true)] {
        let server = CatcherTls::new(at_once);
        let credentials = Some(("ops".to_owned(), "s3cret".to_owned()));
        let options = CatcherOptions { tls: Some(server.clone()), credentials, ..Default::default() };
        let catcher = SmtpCatcher::start_with(options).await;
        let login = SmtpCredentials { username: "ops".to_owned(), password: Secret::new("s3cret") };
        let trusting = SmtpConfig {
            tls,
            credentials: Some(login),
            extra_certificates: Some(server.certificate),
            ..settings(&catcher)
        };
        transport(trusting).send(&message()).await.expect("the mail is taken");
        let mail = catcher.next_mail().await;
        assert_eq!((mail.user.as_deref(), mail.to.as_slice()), (Some("ops"), &[RECIPIENT.to_owned()][..]), "{tls:?}");
    }
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_vouches_for_gets_nothing() {
    for (tls, at_once) in [(SmtpTls::StartTls, false), (SmtpTls::Tls, true)] {
        let options = CatcherOptions { tls: Some(CatcherTls::new(at_once)), ..Default::default() };
        let error = refusal(options, |settings| settings.tls = tls).await;
        assert!(matches!(error, TransportError::Unavailable(_)), "{tls:?}: {error:?}");
    }
}

#[tokio::test]
async fn only_mail_addresses_of_accounts_with_a_sender_are_carried() {
    let catcher = SmtpCatcher::start().await;
    let transport = transport(settings(&catcher));
    let sms = Message { channel: ChannelKind::Sms, endpoint: "+8613800000000".to_owned(), ..message() };
    assert_eq!(transport.send(&sms).await, Err(TransportError::EndpointRefused));
    let injected = Message { endpoint: "a@example.com>\r\nRCPT TO:<b@example.com".to_owned(), ..message() };
    assert_eq!(transport.send(&injected).await, Err(TransportError::EndpointRefused));
    let beyond_ascii = Message { endpoint: "王芳@example.com".to_owned(), ..message() };
    assert_eq!(transport.send(&beyond_ascii).await, Err(TransportError::EndpointRefused));
    let stranger = Message { account: "other".parse().expect("an account"), ..message() };
    assert!(matches!(transport.send(&stranger).await, Err(TransportError::SenderRefused(_))));
    assert!(catcher.mail_at_hand().await.is_none());
}

#[tokio::test]
async fn a_subject_cannot_add_a_header() {
    let catcher = SmtpCatcher::start().await;
    let hostile = Message { subject: "Hello\r\nBcc: b@example.com".to_owned(), ..message() };
    transport(settings(&catcher)).send(&hostile).await.expect("the mail is taken");
    let mail = catcher.next_mail().await;
    assert_eq!(mail.header("Subject").as_deref(), Some("Hello Bcc: b@example.com"));
    assert_eq!(mail.header("Bcc"), None);
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_the_start() {
    let catcher = SmtpCatcher::start().await;
    let no_pem = SmtpConfig {
        tls: SmtpTls::Tls,
        extra_certificates: Some("not a certificate".to_owned()),
        ..settings(&catcher)
    };
    assert_eq!(SmtpTransport::new(&no_pem, senders()).err(), Some(SmtpSettingsError::Certificates));
    let account: AccountId = "demo".parse().expect("an account");
    let sender = Sender { from: address("Ops", "no address"), reply_to: None };
    let no_address = HashMap::from([(account.clone(), sender)]);
    let error = SmtpTransport::new(&settings(&catcher), no_address).err();
    assert_eq!(error, Some(SmtpSettingsError::Address { account, field: "sender" }));
}
