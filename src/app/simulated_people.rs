//! Simulated people for demonstration: an operator who subscribes a channel now and then, and people who confirm, refuse, or let the
//! link expire. They act through the same use cases as everyone, and read only the outbox.

use std::{collections::HashSet, sync::Mutex, time::Duration};

use async_trait::async_trait;

use crate::{
    domain::{account::Locale, actor::Actor, confirmation::ConfirmationStatus, id::EngineerId},
    service::{
        ServiceError, Services,
        cancel_channels::CancelChannels,
        confirm::Shown,
        subscribe_channels::{SubscribeChannels, Whom},
    },
    store::{EngineerFilter, OutboxMessage},
    worker::{Pace, Step},
};

/// How often something happens.
const PERIOD: Duration = Duration::from_secs(3);

/// How many of the newest messages are looked at.
const NEWEST: u64 = 50;

/// Simulated people of one account.
pub struct SimulatedPeople {
    services: Services,
    operator: Actor,
    answered: Mutex<HashSet<String>>,
}

impl SimulatedPeople {
    /// People who act in the operator's account.
    pub fn new(services: Services, operator: Actor) -> Self {
        Self { services, operator, answered: Mutex::default() }
    }

    /// A number below `bound`.
    fn draw(&self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.services.chance().fill(&mut bytes);
        usize::try_from(u64::from_be_bytes(bytes) % bound.max(1) as u64).unwrap_or(0)
    }

    async fn pick(&self, statuses: &[ConfirmationStatus]) -> Result<Option<EngineerId>, ServiceError> {
        let filter = EngineerFilter { status_in: Some(statuses.to_vec()), ..EngineerFilter::default() };
        let rows = self.services.store().rows(&self.operator.account);
        let ids = rows.list_engineer_ids(&filter, None, 1_000).await?;
        Ok(ids.get(self.draw(ids.len())).copied())
    }

    /// Subscribes one person's channels; where nobody is left to subscribe, takes one person's confirmations back.
    async fn operate(&self) -> Result<(), ServiceError> {
        use ConfirmationStatus::{Cancelled, Confirmed, Expired, Unsubscribed};
        if let Some(id) = self.pick(&[Unsubscribed, Expired, Cancelled]).await? {
            let input = SubscribeChannels { whom: Whom::Ids(vec![id]), channels: None, lift_opt_out: true };
            let outcomes = self.services.subscribe_channels(&self.operator, input, None).await?;
            if !outcomes.is_empty() {
                return Ok(());
            }
        }
        if let Some(id) = self.pick(&[Confirmed]).await? {
            let input = CancelChannels { whom: Whom::Ids(vec![id]), channels: None };
            self.services.cancel_channels(&self.operator, input).await?;
        }
        Ok(())
    }

    /// Answers one message: six in ten people confirm, two refuse, two do nothing.
    async fn answer(&self, message: &OutboxMessage) -> Result<(), ServiceError> {
        let Some((_, token)) = message.link.rsplit_once('/') else { return Ok(()) };
        let shown = Shown { locale: Locale::En, text: "Answered by a simulated person.".to_owned() };
        match self.draw(10) {
            0..6 => self.services.answer_link(token, &message.code, &shown).await.map(drop),
            6..8 => self.services.stop_link(token, &shown).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Whether the message is met for the first time.
    fn is_new(&self, message: &OutboxMessage) -> bool {
        let mut answered = self.answered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        answered.insert(message.message_id.clone())
    }
}

#[async_trait]
impl Step for SimulatedPeople {
    fn name(&self) -> &'static str {
        "simulated-people"
    }

    fn pace(&self) -> Pace {
        Pace::Every(PERIOD)
    }

    async fn run(&self) -> Result<bool, ServiceError> {
        for message in self.services.list_outbox(&self.operator.account, NEWEST).await? {
            if self.is_new(&message) {
                self.answer(&message).await?;
            }
        }
        self.operate().await?;
        Ok(false)
    }
}
