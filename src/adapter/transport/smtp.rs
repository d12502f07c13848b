//! Mail by SMTP (RFC 5321), with crate lettre.
//!
//! lettre's `AsyncSmtpTransport`, and with it its pool of connections, is not used: it tells what the server replied but not to
//! which command, and whether the recipient or the sender was refused decides what happens next. Its timeout also ends with
//! the TCP connection. So each message opens a connection of its own, which is cheap at the pace of confirmations, and one
//! deadline stands over the whole conversation.
//!
//! lettre's feature `tracing` must stay off: it logs every command, with addresses and credentials.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use lettre::{
    Address,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailParameter},
    },
};
use tokio::time::timeout;

use super::smtp_reply::{Stage, judge};
use crate::{
    config::{SmtpConfig, SmtpTls},
    domain::{account::MailAddress, channel::ChannelKind, id::AccountId, wording::one_line},
    port::transport::{Message, Transport, TransportError},
};

/// How long the server may take to say goodbye, once the outcome is known.
const FAREWELL: Duration = Duration::from_secs(2);

/// Who the mails of an account come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The sender.
    pub from: MailAddress,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<MailAddress>,
}

/// The settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpSettingsError {
    /// A sender or reply-to is no mail address.
    #[error("the {field} of account {account} is no mail address")]
    Address {
        /// The account.
        account: AccountId,
        /// `sender` or `reply_to`.
        field: &'static str,
    },
    /// The authorities' certificates cannot be read.
    #[error("the certificates for the SMTP server cannot be used: expected PEM blocks \"BEGIN CERTIFICATE\"")]
    Certificates,
    /// TLS cannot be set up.
    #[error("TLS for the SMTP server cannot be set up: {0}")]
    Tls(String),
}

/// Carries mails to an SMTP server.
pub struct SmtpTransport {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    timeout: Duration,
    senders: HashMap<AccountId, Mailboxes>,
}

enum Encryption {
    StartTls(TlsParameters),
    Tls(TlsParameters),
    None,
}

struct Mailboxes {
    from: Mailbox,
    reply_to: Option<Mailbox>,
}

impl SmtpTransport {
    /// A transport for the accounts that have a sender. Nothing is sent yet.
    ///
    /// # Errors
    /// When a mailbox or the certificates cannot be read, or TLS cannot be set up.
    pub fn new(config: &SmtpConfig, senders: HashMap<AccountId, Sender>) -> Result<Self, SmtpSettingsError> {
        let encryption = match config.tls {
            SmtpTls::StartTls => Encryption::StartTls(tls_parameters(config)?),
            SmtpTls::Tls => Encryption::Tls(tls_parameters(config)?),
            SmtpTls::None => Encryption::None,
        };
        let senders = senders
            .into_iter()
            .map(|(account, sender)| Ok((account.clone(), mailboxes(&account, &sender)?)))
            .collect::<Result<_, SmtpSettingsError>>()?;
        Ok(Self {
            host: config.host.clone(),
            port: config.port,
            encryption,
            credentials: config.credentials.as_ref().map(|credentials| {
                Credentials::new(credentials.username.clone(), credentials.password.expose().to_owned())
            }),
            timeout: config.timeout,
            senders,
        })
    }

    /// Connects, encrypts and signs in as for a mail, and leaves again. Nothing is sent.
    ///
    /// # Errors
    /// When the server does not let us get that far.
    pub async fn check(&self) -> Result<(), TransportError> {
        let connection = timeout(self.timeout, self.connect())
            .await
            .map_err(|_| TransportError::Unavailable(format!("no answer within {} s", self.timeout.as_secs_f32())))??;
        farewell(connection).await;
        Ok(())
    }

    /// Opens a connection over which mail may go: encrypted as wanted, and signed in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, TransportError> {
        let hello = ClientId::default();
        let tls = match &self.encryption {
            Encryption::Tls(parameters) => Some(parameters.clone()),
            Encryption::StartTls(_) | Encryption::None => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &hello, tls, None)
            .await
            .map_err(|error| judge(Stage::Connect, &error))?;
        if let Encryption::StartTls(parameters) = &self.encryption {
            let upgrade = connection.starttls(parameters.clone(), &hello).await;
            upgrade.map_err(|error| judge(Stage::Connect, &error))?;
        }
        if let Some(credentials) = &self.credentials {
            let answer = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            answer.map_err(|error| judge(Stage::Auth, &error))?;
        }
        Ok(connection)
    }

    /// Connects and hands the mail over. The connection is given back with the outcome, for the farewell.
    async fn hand_over(
        &self,
        mail: &lettre::Message,
        to: Address,
    ) -> Result<(AsyncSmtpConnection, Result<(), TransportError>), TransportError> {
        let mut connection = self.connect().await?;
        let outcome = converse(&mut connection, mail, to).await;
        Ok((connection, outcome))
    }
}

#[async_trait]
impl Transport for SmtpTransport {
    async fn send(&self, message: &Message) -> Result<(), TransportError> {
        match message.channel {
            ChannelKind::Email => {}
            ChannelKind::Sms | ChannelKind::Voice | ChannelKind::Wecom | ChannelKind::Dingtalk | ChannelKind::Lark => {
                return Err(TransportError::EndpointRefused);
            }
        }
        let sender = self.senders.get(&message.account).ok_or_else(|| {
            TransportError::SenderRefused(format!("account {} has no sender for mail", message.account))
        })?;
        let to: Address = message.endpoint.parse().map_err(|_| TransportError::EndpointRefused)?;
        let mail = build(message, sender, to.clone())?;
        let (connection, outcome) = timeout(self.timeout, self.hand_over(&mail, to)).await.map_err(|_| {
            TransportError::Unavailable(format!("no outcome within {} s", self.timeout.as_secs_f32()))
        })??;
        // The outcome stands, also where the server does not let us go.
        farewell(connection).await;
        outcome
    }
}

/// One mail over an open connection, up to the server's acceptance.
async fn converse(
    connection: &mut AsyncSmtpConnection,
    mail: &lettre::Message,
    to: Address,
) -> Result<(), TransportError> {
    let envelope = mail.envelope();
    let mut options = Vec::new();
    if !envelope.from().is_none_or(|from| from.to_string().is_ascii()) || !to.to_string().is_ascii() {
        // RFC 6531: without the extension, an address beyond ASCII cannot be told to the server.
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(TransportError::EndpointRefused);
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    let answer = connection.command(Mail::new(envelope.from().cloned(), options)).await;
    answer.map_err(|error| judge(Stage::MailFrom, &error))?;
    let answer = connection.command(Rcpt::new(to, Vec::new())).await;
    answer.map_err(|error| judge(Stage::Recipient, &error))?;
    let answer = connection.command(Data).await;
    answer.map_err(|error| judge(Stage::Data, &error))?;
    let answer = connection.message(&mail.formatted()).await;
    answer.map_err(|error| judge(Stage::Data, &error))?;
    Ok(())
}

/// Ends the conversation politely, but does not wait long for it.
async fn farewell(mut connection: AsyncSmtpConnection) {
    // Whether the server answers in time does not matter: dropping the connection ends it as well.
    drop(timeout(FAREWELL, connection.abort()).await);
}

fn build(message: &Message, sender: &Mailboxes, to: Address) -> Result<lettre::Message, TransportError> {
    let id = format!("<{}@{}>", id_left(&message.message_id), sender.from.email.domain());
    let mut mail = lettre::Message::builder()
        .from(sender.from.clone())
        .to(Mailbox::new(None, to))
        .subject(one_line(&message.subject, usize::MAX))
        .date(message.sent_at.into())
        .message_id(Some(id))
        // RFC 3834: robots that answer mails leave this one alone.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    if let Some(reply_to) = &sender.reply_to {
        mail = mail.reply_to(reply_to.clone());
    }
    mail.multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()))
        .map_err(|_| TransportError::Unavailable("the mail could not be written".to_owned()))
}

/// The part of a Message-ID before the `@`: what RFC 5322 (dot-atom-text) does not allow becomes a hyphen.
fn id_left(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect()
}

fn mailboxes(account: &AccountId, sender: &Sender) -> Result<Mailboxes, SmtpSettingsError> {
    let mailbox = |address: &MailAddress, field| match address.address.parse() {
        Ok(parsed) => Ok(Mailbox::new(address.name.clone(), parsed)),
        Err(_) => Err(SmtpSettingsError::Address { account: account.clone(), field }),
    };
    Ok(Mailboxes {
        from: mailbox(&sender.from, "sender")?,
        reply_to: sender.reply_to.as_ref().map(|address| mailbox(address, "reply_to")).transpose()?,
    })
}

fn tls_parameters(config: &SmtpConfig) -> Result<TlsParameters, SmtpSettingsError> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &config.extra_certificates {
        // lettre takes a text without any certificate for an empty list, and the mistake would show as a failed handshake.
        let certificates = Certificate::from_pem(pem.as_bytes()).map_err(|_| SmtpSettingsError::Certificates)?;
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(SmtpSettingsError::Certificates);
        }
        builder = builder.add_root_certificate(certificates);
    }
    builder.build_rustls().map_err(|error| SmtpSettingsError::Tls(error.to_string()))
}
