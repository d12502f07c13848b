//! HTTP as bytes on a TCP connection, for what no client would send, and for answers that do not end.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

/// What is not there by then does not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to the server.
pub struct RawConnection {
    stream: BufReader<TcpStream>,
}

/// The head of an answer.
#[derive(Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
}

impl Head {
    /// A header's value; blank where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl RawConnection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Self {
        Self { stream: BufReader::new(TcpStream::connect(address).await.expect("a connection")) }
    }

    /// Connects and asks for a WebSocket that speaks one of these protocols; for none where it is blank. Gives the answer's head.
    pub async fn ask_for_websocket(address: SocketAddr, protocols: &str) -> (Self, Head) {
        let mut connection = Self::open(address).await;
        let protocols =
            if protocols.is_empty() { String::new() } else { format!("sec-websocket-protocol: {protocols}\r\n") };
        connection
            .send(format!(
                "GET /graphql HTTP/1.1\r\nhost: {address}\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n\
                 sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{protocols}\r\n"
            ))
            .await;
        let head = connection.read_head().await;
        (connection, head)
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("sending");
    }

    /// Reads the head of an answer.
    pub async fn read_head(&mut self) -> Head {
        let first = self.read_line().await.expect("an answer");
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut headers = BTreeMap::new();
        loop {
            let line = self.read_line().await.expect("the end of the head");
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        Head { status, headers }
    }

    /// Reads a body whose length is told.
    pub async fn read_body(&mut self, head: &Head) -> String {
        let length: usize = head.header("content-length").parse().expect("a length");
        let mut body = vec![0; length];
        timeout(PATIENCE, self.stream.read_exact(&mut body)).await.expect("a body in time").expect("a body");
        String::from_utf8(body).expect("text")
    }

    /// Reads so many bytes.
    pub async fn read_bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        timeout(PATIENCE, self.stream.read_exact(&mut bytes)).await.expect("bytes in time").expect("bytes");
        bytes
    }

    /// Whether the server closes the connection.
    pub async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.expect("an end in time");
        read.is_err() || rest.is_empty()
    }

    /// A line without its end; `None` where the connection ended.
    async fn read_line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.stream.read_line(&mut line)).await.expect("a line in time");
        read.ok().filter(|length| *length > 0)?;
        Some(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}
