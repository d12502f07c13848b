//! A hundred clients whose connections break again and again, while eight writers change a thousand statuses.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{task::JoinSet, time::timeout};

use super::{CHANGES, add, edit, live_cursor, position, read_log, text};
use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
    socket::Socket,
};

both_dbs! { a_hundred_clients_that_drop_and_resume_each_see_the_whole_log_once_in_order }

const CLIENTS: u64 = 100;
const WRITERS: usize = 8;
const CHANGES_PER_WRITER: usize = 125;
const TOTAL: usize = WRITERS * CHANGES_PER_WRITER;

/// Numbers that look random and are the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A client: where it connects, what it saw, and how often its stream broke.
struct Client {
    address: SocketAddr,
    authorization: Option<String>,
    cursor: String,
    seen: Vec<Value>,
    breaks: usize,
    dice: Dice,
}

impl Client {
    /// Follows the log in pieces, from the cursor of what it saw last, until it saw as many changes as there are.
    async fn read_in_pieces(mut self) -> Self {
        let mut socket = Socket::open(self.address, self.authorization.clone()).await;
        loop {
            let stream = socket.subscribe(CHANGES, json!({ "after": self.cursor })).await;
            self.read_a_piece(&mut socket, &stream).await;
            if self.seen.len() >= TOTAL {
                return self;
            }
            self.breaks += 1;
            if self.dice.roll(4) == 0 {
                // The stream ends and the socket stays. What was on its way when the server heard of it is never read.
                socket.send(json!({ "id": stream, "type": "complete" })).await;
            } else {
                // Gone without a word.
                drop(socket);
                socket = Socket::open(self.address, self.authorization.clone()).await;
            }
        }
    }

    async fn read_a_piece(&mut self, socket: &mut Socket, stream: &str) {
        let hurry = self.dice.roll(3) == 0;
        for _ in 0..=self.dice.roll(250) {
            let next = socket.next(stream);
            let mut data = if hurry {
                // Breaks off while it waits, too.
                match timeout(Duration::from_millis(self.dice.roll(200)), next).await {
                    Ok(data) => data,
                    Err(_) => return,
                }
            } else {
                next.await
            };
            let change = data["confirmationStatusChanged"].take();
            self.cursor = text(&change["cursor"]);
            self.seen.push(change);
            if self.seen.len() >= TOTAL {
                return;
            }
        }
    }
}

/// Sets and clears an e-mail address by turns: each a mutation over HTTP, and one status change.
async fn write(app: Arc<TestApp>, id: String, number: usize) {
    for turn in 0..CHANGES_PER_WRITER {
        let email = if turn.is_multiple_of(2) { json!(format!("{number}.{turn}@demo.example")) } else { Value::Null };
        edit(&app.admin(), &id, json!({ "email": email })).await;
    }
}

async fn a_hundred_clients_that_drop_and_resume_each_see_the_whole_log_once_in_order(database: Database) {
    let setup = Setup { config: "[sockets]\nper_subject = 200".to_owned(), ..Setup::default() };
    let app = Arc::new(TestApp::start_with(database, setup).await);
    let mut people = Vec::new();
    for number in 0..WRITERS {
        people.push(add(&app.admin(), &format!("person.{number}")).await);
    }
    let begin = live_cursor(&app.admin()).await;
    let mut clients = JoinSet::new();
    for seed in 0..CLIENTS {
        let client = Client {
            address: app.address,
            authorization: app.admin().authorization(),
            cursor: begin.clone(),
            seen: Vec::new(),
            breaks: 0,
            dice: Dice(seed),
        };
        clients.spawn(client.read_in_pieces());
    }
    let mut writers = JoinSet::new();
    for (number, id) in people.into_iter().enumerate() {
        writers.spawn(write(Arc::clone(&app), id, number));
    }
    writers.join_all().await;
    let log = read_log(&app).await;
    assert_eq!(log.len(), TOTAL);
    assert!(log.is_sorted_by_key(|change| position(&change["cursor"])));
    let clients = clients.join_all().await;
    for client in &clients {
        assert!(client.seen == log, "a client with {} breaks saw another log", client.breaks);
    }
    let breaks: usize = clients.iter().map(|client| client.breaks).sum();
    assert!(breaks > 300, "only {breaks} breaks");
}
