//! What the built-in provider promises besides: no message leaves before its hashes are committed, and one link at most is alive.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use rollcall::{
    adapter::provider::builtin::BuiltinProvider,
    domain::channel::ChannelKind,
    port::{
        provider::{ConfirmationProvider as _, ProviderError},
        transport::{Message, Transport, TransportError},
    },
    store::token_hash,
};
use tokio::sync::Mutex;

use super::{new_builtin, request};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

both_dbs! {
    the_builtin_provider_commits_the_hashes_before_the_message_leaves
    the_builtin_provider_sends_a_new_link_where_the_first_may_or_may_not_have_left
}

/// A transport that looks into the database while it sends, and fails as told.
struct Looking {
    store: rollcall::store::Store,
    failures: Mutex<Vec<TransportError>>,
    sent: Mutex<Vec<(Message, bool)>>,
}

#[async_trait]
impl Transport for Looking {
    async fn send(&self, message: &Message) -> Result<(), TransportError> {
        let (_, token) = message.link.split_once("/c/").expect("a link");
        let found = self.store.find_link_by_token(&token_hash(token)).await.expect("an answer");
        let generation = message.message_id.as_str();
        let known = found.is_some_and(|(_, link)| {
            self.store.sealer().code_matches(generation, &message.code, &link.code_hash) && link.sent_at.is_none()
        });
        self.sent.lock().await.push((message.clone(), known));
        self.failures.lock().await.pop().map_or(Ok(()), Err)
    }
}

async fn looking(database: Database, failures: Vec<TransportError>) -> (TestApp, Arc<Looking>, BuiltinProvider) {
    let app = TestApp::start(database).await;
    let store = app.app.services.store().clone();
    let transport = Arc::new(Looking { store, failures: Mutex::new(failures), sent: Mutex::default() });
    let provider = new_builtin(&app, transport.clone());
    (app, transport, provider)
}

async fn the_builtin_provider_commits_the_hashes_before_the_message_leaves(database: Database) {
    let (_app, transport, provider) = looking(database, Vec::new()).await;
    for channel in [ChannelKind::Email, ChannelKind::Sms, ChannelKind::Voice] {
        provider.request(&request("demo", channel)).await.expect("it is taken");
    }
    let sent = transport.sent.lock().await;
    assert_eq!(sent.iter().map(|(_, known)| *known).collect::<Vec<_>>(), [true; 3]);
    let (message, _) = &sent[0];
    assert!(message.link.starts_with("https://roll.example.org/c/"), "{}", message.link);
    assert_eq!(message.link.len(), "https://roll.example.org/c/".len() + 22, "128 bits in base64url");
    assert!(message.code.len() == 6 && message.code.bytes().all(|digit| digit.is_ascii_digit()));
    for text in [&message.text, &message.html] {
        assert!(text.contains(&message.link) && text.contains(&message.code), "{text}");
    }
    assert_eq!(sent.iter().map(|(message, _)| &message.link).collect::<HashSet<_>>().len(), 3);
}

async fn the_builtin_provider_sends_a_new_link_where_the_first_may_or_may_not_have_left(database: Database) {
    let timeout = TransportError::Unavailable("no answer".to_owned());
    let (app, transport, provider) = looking(database, vec![timeout]).await;
    let request = request("demo", ChannelKind::Email);
    assert!(matches!(provider.request(&request).await, Err(ProviderError::Unavailable { .. })));
    assert_eq!(provider.find(&request).await, Ok(None), "nobody knows whether the message left");
    assert_eq!(provider.list(&request.account, None).await.expect("a page").entries, []);
    provider.request(&request).await.expect("it is taken");
    let sent = transport.sent.lock().await;
    let [(first, _), (second, _)] = sent.as_slice() else { panic!("two messages") };
    assert_eq!(first.message_id, second.message_id, "carriers recognise the repeated attempt");
    assert_ne!((&first.link, &first.code), (&second.link, &second.code));
    let find = async |message: &Message| {
        let (_, token) = message.link.split_once("/c/").expect("a link");
        app.app.services.store().find_link_by_token(&token_hash(token)).await.expect("an answer").is_some()
    };
    assert_eq!((find(first).await, find(second).await), (false, true), "the first link is dead");
}
