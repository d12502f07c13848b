//! The clients: one process that opens thousands of sockets and does nothing with what comes but count it.

use std::{
    io::{self, BufRead, Write},
    net::SocketAddr,
    time::Duration,
};

use rollcall::domain::id::EngineerId;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

use crate::{
    AnyResult,
    change::{COUNT, ENGINEER, EVERY, QUERY, now},
};

/// How long a client waits for the next change before it gives the rest up for lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many clients connect at a time.
const AT_ONCE: usize = 200;

/// What one client saw.
struct Seen {
    /// Microseconds from when each change was due.
    latencies: Vec<u64>,
    lost: u32,
}

pub fn run(address: SocketAddr, authorization: &str, clients: usize, queries: usize) -> AnyResult<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(count(address, authorization, clients, queries))
}

/// Connects, says so, is told when the changes begin, and tells in one line what came.
async fn count(address: SocketAddr, authorization: &str, clients: usize, queries: usize) -> AnyResult<()> {
    let mut sockets = Vec::new();
    while sockets.len() < clients {
        let mut connecting = JoinSet::new();
        for number in sockets.len()..clients.min(sockets.len() + AT_ONCE) {
            let authorization = authorization.to_owned();
            connecting.spawn(async move {
                let socket = Client::connect(address, &authorization, number % queries).await;
                socket.map_err(|error| error.to_string())
            });
        }
        while let Some(connected) = connecting.join_next().await {
            sockets.push(connected??);
        }
    }
    // The server has read the last `subscribe` by then.
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("connected");
    let (tell, told) = watch::channel(0);
    let mut reading = JoinSet::new();
    for mut socket in sockets {
        let mut begin = told.clone();
        reading.spawn(async move {
            let begin = *begin.wait_for(|begin| *begin > 0).await.map_err(|error| error.to_string())?;
            let seen = socket.read_changes(begin).await;
            // With the socket: while others still wait, none is closed.
            Ok::<_, String>((seen, socket))
        });
    }
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    })
    .await??;
    tell.send(line.trim().parse()?)?;
    let (mut latencies, mut lost, mut sockets) = (Vec::new(), 0, Vec::new());
    while let Some(read) = reading.join_next().await {
        let (seen, socket) = read??;
        latencies.extend(seen.latencies);
        lost += seen.lost;
        sockets.push(socket);
    }
    latencies.sort_unstable();
    let quantile = |share: usize| latencies.get((latencies.len() * share / 100).min(latencies.len().saturating_sub(1)));
    let (median, late) = (quantile(50).unwrap_or(&0), quantile(99).unwrap_or(&0));
    println!("{} {lost} {median} {late}", latencies.len());
    io::stdout().flush()?;
    Ok(())
}

/// One client.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(address: SocketAddr, authorization: &str, query: usize) -> AnyResult<Self> {
        let mut client = Self { stream: TcpStream::connect(address).await?, buffer: Vec::with_capacity(1024) };
        let request = format!(
            "GET /graphql HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        );
        client.stream.write_all(request.as_bytes()).await?;
        while find(&client.buffer, b"\r\n\r\n").is_none() {
            client.fill().await?;
        }
        let end = find(&client.buffer, b"\r\n\r\n").map_or(0, |at| at + 4);
        client.buffer.drain(..end);
        let payload = json!({ "authorization": format!("Bearer {authorization}") });
        client.send(&json!({ "type": "connection_init", "payload": payload }).to_string()).await?;
        let ack = client.next_frame().await?;
        if find(&ack, b"connection_ack").is_none() {
            return Err(String::from_utf8_lossy(&ack).into_owned().into());
        }
        // The second id makes the query one of its own.
        let ids = [ENGINEER, EngineerId(Uuid::from_u128(query as u128 + 1))].map(|id| id.to_string());
        let payload = json!({ "query": QUERY, "variables": { "filter": { "engineerIds": ids } } });
        client.send(&json!({ "id": "1", "type": "subscribe", "payload": payload }).to_string()).await?;
        Ok(client)
    }

    async fn read_changes(&mut self, begin: u64) -> Seen {
        let mut seen = Seen { latencies: Vec::with_capacity(COUNT as usize), lost: 0 };
        let mut last = None;
        for number in 0..COUNT {
            let Ok(Ok(frame)) = timeout(PATIENCE, self.next_frame()).await else {
                seen.lost += COUNT - number;
                break;
            };
            let due = begin + u64::from(number) * u64::try_from(EVERY.as_micros()).unwrap_or(0);
            seen.latencies.push(now().saturating_sub(due));
            let position = read_position(&frame);
            if position.is_none() || last.is_some_and(|last| position != Some(last + 1)) {
                seen.lost += 1;
            }
            last = position;
        }
        seen
    }

    /// The next text frame. Pings are passed over.
    async fn next_frame(&mut self) -> AnyResult<Vec<u8>> {
        loop {
            let (opcode, start, length) = match self.buffer.as_slice() {
                [opcode, 126, high, low, ..] => (*opcode, 4, usize::from(u16::from_be_bytes([*high, *low]))),
                [opcode, length @ 0..126, ..] => (*opcode, 2, usize::from(*length)),
                _ => {
                    self.fill().await?;
                    continue;
                }
            };
            if self.buffer.len() < start + length {
                self.fill().await?;
                continue;
            }
            let frame: Vec<u8> = self.buffer.drain(..start + length).skip(start).collect();
            match opcode & 0x0f {
                1 => return Ok(frame),
                8 => return Err("the server closed the socket".into()),
                _ => {}
            }
        }
    }

    async fn fill(&mut self) -> AnyResult<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the server ended the connection".into());
        }
        Ok(())
    }

    /// Sends a text frame, with a mask of zeros.
    async fn send(&mut self, text: &str) -> AnyResult<()> {
        let mut frame = vec![0x81];
        match u8::try_from(text.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(text.len())?.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        Ok(self.stream.write_all(&frame).await?)
    }
}

/// The position that the cursor of a change names.
fn read_position(frame: &[u8]) -> Option<u64> {
    let rest = frame.get(find(frame, b"\"cursor\":\"")? + 10..)?;
    let text = rest.get(..find(rest, b"\"")?)?;
    let (_, position) = std::str::from_utf8(text).ok()?.split_once('.')?;
    u64::from_str_radix(position, 16).ok()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
