//! A small mail server on loopback that keeps what it is given.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// How the catcher behaves. The default takes everything from everyone.
#[derive(Default)]
pub struct CatcherOptions {
    /// Only who signs in with this name and password (AUTH PLAIN) may send.
    pub credentials: Option<(String, String)>,
    /// The reply to RCPT TO for some addresses, such as `550 5.1.1 <who@example.com>: unknown`.
    pub recipient_replies: HashMap<String, String>,
    /// The reply to every MAIL FROM, in place of `250`.
    pub sender_reply: Option<String>,
    /// The reply to every mail once its content is there, in place of `250`.
    pub content_reply: Option<String>,
    /// Takes the connection and never says a word.
    pub silent: bool,
    /// Speaks TLS with this certificate.
    pub tls: Option<CatcherTls>,
}

/// How the catcher speaks TLS, with a certificate of its own making for 127.0.0.1.
#[derive(Clone)]
pub struct CatcherTls {
    acceptor: TlsAcceptor,
    /// From the first byte; else after STARTTLS.
    at_once: bool,
    /// The certificate in PEM, for those who shall trust it.
    pub certificate: String,
}

impl CatcherTls {
    /// TLS from the first byte, or after STARTTLS.
    pub fn new(at_once: bool) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate with its key");
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), at_once, certificate: made.cert.pem() }
    }
}

/// A connection, encrypted or not.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A mail as it came over the wire.
#[derive(Debug, Clone)]
pub struct CaughtMail {
    /// The address of MAIL FROM.
    pub from: String,
    /// The addresses of RCPT TO.
    pub to: Vec<String>,
    /// Who signed in.
    pub user: Option<String>,
    /// The content: headers and parts, lines ended by CRLF.
    pub content: String,
}

/// The mail server. Dropping it closes it.
pub struct SmtpCatcher {
    address: SocketAddr,
    mails: Mutex<mpsc::UnboundedReceiver<CaughtMail>>,
    server: JoinHandle<()>,
}

impl SmtpCatcher {
    /// Starts one that takes everything.
    pub async fn start() -> Self {
        Self::start_with(CatcherOptions::default()).await
    }

    /// Starts one on a free port of loopback.
    pub async fn start_with(options: CatcherOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the address");
        let (caught, mails) = mpsc::unbounded_channel();
        let options = Arc::new(options);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (options, caught) = (options.clone(), caught.clone());
                tokio::spawn(async move {
                    // A client that breaks off is the test's business.
                    let wire: Box<dyn Wire> = match options.tls.as_ref().filter(|tls| tls.at_once) {
                        Some(tls) => match tls.acceptor.accept(stream).await {
                            Ok(encrypted) => Box::new(encrypted),
                            Err(_) => return,
                        },
                        None => Box::new(stream),
                    };
                    drop(Conversation::new(wire, options, caught).hold().await);
                });
            }
        });
        Self { address, mails: Mutex::new(mails), server }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next mail, in the order of arrival. Fails the test when none comes within 10 seconds.
    pub async fn next_mail(&self) -> CaughtMail {
        let mut mails = self.mails.lock().await;
        let mail = timeout(Duration::from_secs(10), mails.recv()).await.expect("a mail within 10 seconds");
        mail.expect("the catcher runs")
    }

    /// The next mail if it is there already.
    pub async fn mail_at_hand(&self) -> Option<CaughtMail> {
        self.mails.lock().await.try_recv().ok()
    }
}

impl Drop for SmtpCatcher {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Conversation {
    stream: BufReader<Box<dyn Wire>>,
    encrypted: bool,
    options: Arc<CatcherOptions>,
    caught: mpsc::UnboundedSender<CaughtMail>,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl Conversation {
    fn new(wire: Box<dyn Wire>, options: Arc<CatcherOptions>, caught: mpsc::UnboundedSender<CaughtMail>) -> Self {
        let encrypted = options.tls.as_ref().is_some_and(|tls| tls.at_once);
        Self { stream: BufReader::new(wire), encrypted, options, caught, user: None, from: None, to: Vec::new() }
    }

    async fn hold(mut self) -> std::io::Result<()> {
        if self.options.silent {
            self.stream.read_to_end(&mut Vec::new()).await?;
            return Ok(());
        }
        self.say("220 catcher ESMTP").await?;
        while let Some(line) = self.line().await? {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let reply = match verb.to_ascii_uppercase().as_str() {
                "EHLO" if self.waits_for_tls() => "250-catcher\r\n250 STARTTLS".to_owned(),
                "STARTTLS" if self.waits_for_tls() => {
                    self.say("220 2.0.0 go ahead").await?;
                    self = self.encrypt().await?;
                    continue;
                }
                "MAIL" | "AUTH" if self.waits_for_tls() => "530 5.7.0 STARTTLS first".to_owned(),
                "EHLO" if self.options.credentials.is_some() => "250-catcher\r\n250 AUTH PLAIN".to_owned(),
                "EHLO" => "250 catcher".to_owned(),
                "AUTH" => self.sign_in(rest),
                "MAIL" => self.begin(rest),
                "RCPT" => self.add_recipient(rest),
                "DATA" => self.take_content().await?,
                "QUIT" => return self.say("221 bye").await,
                _ => "502 5.5.1 what?".to_owned(),
            };
            self.say(&reply).await?;
        }
        Ok(())
    }

    fn waits_for_tls(&self) -> bool {
        self.options.tls.is_some() && !self.encrypted
    }

    async fn encrypt(self) -> std::io::Result<Self> {
        let acceptor = self.options.tls.as_ref().expect("TLS is offered").acceptor.clone();
        let wire: Box<dyn Wire> = Box::new(acceptor.accept(self.stream.into_inner()).await?);
        Ok(Self { stream: BufReader::new(wire), encrypted: true, ..self })
    }

    fn sign_in(&mut self, rest: &str) -> String {
        let wanted = self.options.credentials.as_ref();
        let given = rest.strip_prefix("PLAIN ").and_then(|text| BASE64_STANDARD.decode(text).ok());
        let right = wanted.filter(|(name, password)| given == Some(format!("\0{name}\0{password}").into_bytes()));
        self.user = right.map(|(name, _)| name.clone());
        if self.user.is_some() { "235 2.7.0 ok" } else { "535 5.7.8 wrong credentials" }.to_owned()
    }

    fn begin(&mut self, rest: &str) -> String {
        if self.options.credentials.is_some() && self.user.is_none() {
            return "530 5.7.0 sign in".to_owned();
        }
        let reply = self.options.sender_reply.clone().unwrap_or("250 ok".to_owned());
        self.from = reply.starts_with("250").then(|| address_in(rest));
        self.to.clear();
        reply
    }

    fn add_recipient(&mut self, rest: &str) -> String {
        let address = address_in(rest);
        let reply = self.options.recipient_replies.get(&address).cloned().unwrap_or("250 ok".to_owned());
        if reply.starts_with("250") {
            self.to.push(address);
        }
        reply
    }

    async fn take_content(&mut self) -> std::io::Result<String> {
        let to = std::mem::take(&mut self.to);
        let Some(from) = self.from.take().filter(|_| !to.is_empty()) else {
            return Ok("503 5.5.1 nobody to send to".to_owned());
        };
        self.say("354 go on").await?;
        let mut content = String::new();
        while let Some(line) = self.line().await?.filter(|line| line != ".") {
            // RFC 5321, 4.5.2: a dot was put before each line that began with one.
            content += line.strip_prefix('.').unwrap_or(&line);
            content += "\r\n";
        }
        let reply = self.options.content_reply.clone().unwrap_or("250 2.0.0 queued".to_owned());
        if reply.starts_with("250") {
            // The receiver is gone only when the test is over.
            drop(self.caught.send(CaughtMail { from, to, user: self.user.clone(), content }));
        }
        Ok(reply)
    }

    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await?;
        Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    async fn say(&mut self, reply: &str) -> std::io::Result<()> {
        self.stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        // An encrypted wire keeps what is written until it is told to send.
        self.stream.flush().await
    }
}

/// What stands between `<` and `>`.
fn address_in(text: &str) -> String {
    let inner = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
}

impl CaughtMail {
    /// The link and the code in a confirmation mail.
    pub fn link_and_code(&self) -> (String, String) {
        let text = self.part("text/plain").expect("a text");
        let link = text.split_whitespace().find(|word| word.contains("/c/")).expect("a link").to_owned();
        let code = text.lines().rev().find_map(|line| {
            let code = line.rsplit(|c: char| !c.is_ascii_digit()).next()?;
            (code.len() == 6).then(|| code.to_owned())
        });
        (link, code.expect("a code"))
    }

    /// The header of that name, unfolded and decoded (RFC 2047).
    pub fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.content.split_once("\r\n\r\n")?;
        header_in(head, name)
    }

    /// The decoded part of that media type, such as `text/html`; its lines end by LF.
    pub fn part(&self, media_type: &str) -> Option<String> {
        let content_type = self.header("Content-Type")?;
        let (_, boundary) = content_type.split_once("boundary=\"")?;
        let boundary = format!("--{}", boundary.split('"').next()?);
        self.content.split(&boundary).skip(1).find_map(|part| {
            let (head, body) = part.split_once("\r\n\r\n")?;
            let wanted = header_in(head, "Content-Type")?.starts_with(media_type);
            wanted.then(|| decode(&header_in(head, "Content-Transfer-Encoding").unwrap_or_default(), body))
        })
    }
}

fn header_in(head: &str, name: &str) -> Option<String> {
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let value = unfolded.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })?;
    // White space between encoded words does not count.
    Some(decode_words(&value.replace("?= =?", "?==?")))
}

fn decode_words(text: &str) -> String {
    const BEGIN: &str = "=?utf-8?b?";
    let Some((before, rest)) = text.split_once(BEGIN) else { return text.to_owned() };
    let (word, rest) = rest.split_once("?=").expect("the end of an encoded word");
    let word = String::from_utf8(BASE64_STANDARD.decode(word).expect("base64")).expect("UTF-8");
    format!("{before}{word}{}", decode_words(rest))
}

fn decode(encoding: &str, body: &str) -> String {
    let bytes = match encoding {
        "base64" => BASE64_STANDARD.decode(body.replace("\r\n", "")).expect("base64"),
        "quoted-printable" => quoted_printable(&body.replace("=\r\n", "")),
        "7bit" | "8bit" | "" => body.as_bytes().to_vec(),
        other => panic!("an encoding that nobody expects: {other}"),
    };
    String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n")
}

fn quoted_printable(body: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = body.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'=' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|digit| digit.expect("two digits behind ="));
        let digits = std::str::from_utf8(&digits).expect("ASCII");
        bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
    }
    bytes
}
