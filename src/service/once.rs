//! Mutations that are sent again: what was done under a key is not done a second time.

use super::{ServiceError, Services};
use crate::{
    domain::{actor::Actor, engineer::Engineer, id::EngineerId, once::Once},
    store::{Claimed, Tx},
};

impl Services {
    /// Takes the caller's key in the transaction that does what is asked for, so that key and effect commit together. Gives the
    /// answer that stands under it if the same was done before: then nothing is to be done. `answer` is what is kept otherwise.
    pub(super) async fn claim_once(
        &self,
        tx: &Tx,
        actor: &Actor,
        once: Option<&Once>,
        answer: &str,
    ) -> Result<Option<String>, ServiceError> {
        let Some(once) = once else { return Ok(None) };
        let key = tx.rows().once_key(&actor.subject, once);
        match tx.rows().claim_once(&key, answer, self.now()).await? {
            Claimed::New(_) => Ok(None),
            Claimed::Known(kept) => Ok(Some(kept.answer)),
            Claimed::OtherInput => Err(Once::refuse_other_input().into()),
        }
    }

    /// The engineer whom an earlier call added or edited, as they are now; `None` where they are gone since.
    pub(super) async fn find_again(&self, actor: &Actor, id: EngineerId) -> Result<Option<Engineer>, ServiceError> {
        Ok(self.core.store.rows(&actor.account).find_engineer(id).await?)
    }
}
