//! Links die at their time, not at the next poll of the provider.

use std::collections::BTreeMap;

use super::{CHUNK, ServiceError, Services, batch::Batch};
use crate::domain::{
    channel::ChannelKind,
    confirmation::Happening,
    id::{AccountId, EngineerId},
};

impl Services {
    /// Expires every PENDING channel whose link is dead. Tells how many people's channels changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire_due(&self) -> Result<usize, ServiceError> {
        let due = self.core.store.queue().list_expired(&self.account_ids(), self.now(), CHUNK as u64).await?;
        let mut people: BTreeMap<AccountId, Vec<EngineerId>> = BTreeMap::new();
        for (account, engineer) in due {
            people.entry(account).or_default().push(engineer);
        }
        let mut changed = 0;
        for (account, mut ids) in people {
            ids.sort_unstable();
            ids.dedup();
            self.expire(&account, &ids).await?;
            changed += ids.len();
        }
        Ok(changed)
    }

    async fn expire(&self, account: &AccountId, ids: &[EngineerId]) -> Result<(), ServiceError> {
        let mut tx = self.core.store.begin(account).await?;
        let mut batch = Batch::lock(&self.core, self.account(account)?, &tx, ids, self.now()).await?;
        for id in ids {
            if batch.engineers.get(id).is_none_or(|engineer| engineer.deleted_at.is_some()) {
                continue;
            }
            for kind in ChannelKind::ALL {
                let request = batch.channel(*id, kind).and_then(|channel| channel.state.request());
                if let Some(request) = request {
                    let now = batch.now;
                    // Channels that are not due stay as they are.
                    let _ = batch.apply(*id, kind, Happening::TimePassed { generation: request.generation, now });
                }
            }
        }
        batch.save(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }
}
