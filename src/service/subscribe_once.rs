//! Asking many people under a key. The plan, who is meant, is kept with the first chunk, and each chunk's outcomes with the chunk
//! itself. Whoever sends the same again, at once or after a crash, goes on where the work stands, and gets all outcomes.

use serde::{Deserialize, Serialize};

use super::{
    CHUNK, ServiceError, Services,
    subscribe_channels::{ChannelOutcome, SubscribeChannels},
};
use crate::{
    domain::{
        actor::Actor,
        audit::AuditAction,
        channel::ChannelKind,
        confirmation::ConfirmationStatus,
        id::EngineerId,
        once::Once,
        refusal::{Refusal, RefusalCode},
    },
    store::Claimed,
};

/// What a step found.
enum Progress {
    /// There may be more parts.
    More,
    /// The plan has no part of that number.
    Done,
}

/// One caller's pass over the parts.
struct Pass<'a> {
    actor: &'a Actor,
    /// Who is meant, if the key is new.
    plan: String,
    input: &'a SubscribeChannels,
    once: &'a Once,
    /// What became of the parts so far.
    outcomes: Vec<Vec<ChannelOutcome>>,
}

impl Services {
    /// Asks these people, whom the caller means by now; or, where the same was asked for before, those who were meant then.
    pub(super) async fn subscribe_once(
        &self,
        actor: &Actor,
        ids: &[EngineerId],
        input: &SubscribeChannels,
        once: &Once,
    ) -> Result<Vec<ChannelOutcome>, ServiceError> {
        let mut pass = Pass { actor, plan: write_plan(ids), input, once, outcomes: Vec::new() };
        while let Progress::More = self.subscribe_parts(&mut pass).await? {}
        Ok(pass.outcomes.into_iter().flatten().collect())
    }

    /// Gathers the parts that are done, and does the first that is not. The key is held meanwhile, so that no two callers do the
    /// same part.
    async fn subscribe_parts(&self, pass: &mut Pass<'_>) -> Result<Progress, ServiceError> {
        let mut tx = self.core.store.begin(&pass.actor.account).await?;
        let key = tx.rows().once_key(&pass.actor.subject, pass.once);
        let mut kept = match tx.rows().claim_once(&key, &pass.plan, self.now()).await? {
            Claimed::New(kept) => {
                if kept.answer.is_empty() {
                    tx.record(self.nobody(pass.actor, AuditAction::SubscribeChannels), self.chance());
                }
                kept
            }
            Claimed::Known(kept) => kept,
            Claimed::OtherInput => return Err(Once::refuse_other_input().into()),
        };
        let ids = read_plan(&kept.answer).ok_or_else(|| key.bad_answer())?;
        for (chunk, part) in ids.chunks(CHUNK).zip(1..).skip(pass.outcomes.len()) {
            if let Some(answer) = tx.rows().find_part(&key, part).await? {
                pass.outcomes.push(read_outcomes(&answer).ok_or_else(|| key.bad_answer())?);
                continue;
            }
            let done = self.subscribe_chunk(pass.actor, &mut tx, chunk, pass.input).await?;
            kept.answer = write_outcomes(&done);
            tx.rows().save_part(&key, part, &kept).await?;
            tx.commit().await?;
            pass.outcomes.push(done);
            return Ok(Progress::More);
        }
        // A plan of nobody is kept too.
        tx.commit().await?;
        Ok(Progress::Done)
    }
}

fn write_plan(ids: &[EngineerId]) -> String {
    ids.iter().map(|id| id.0.simple().to_string()).collect::<Vec<_>>().join(" ")
}

fn read_plan(text: &str) -> Option<Vec<EngineerId>> {
    text.split_whitespace().map(|id| id.parse().ok().map(EngineerId)).collect()
}

/// An outcome as it is kept. Its names are those of the API.
#[derive(Serialize, Deserialize)]
struct KeptOutcome {
    engineer: String,
    channel: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<KeptRefusal>,
}

#[derive(Serialize, Deserialize)]
struct KeptRefusal {
    code: String,
    field: Vec<String>,
    params: Vec<(String, String)>,
}

fn write_outcomes(outcomes: &[ChannelOutcome]) -> String {
    let write = |outcome: &ChannelOutcome| KeptOutcome {
        engineer: outcome.engineer.0.simple().to_string(),
        channel: outcome.channel.name().to_owned(),
        status: outcome.status.name().to_owned(),
        refusal: outcome.refusal.clone().map(|refusal| KeptRefusal {
            code: refusal.code.name().to_owned(),
            field: refusal.field,
            params: refusal.params.into_iter().map(|(name, value)| (name.into_owned(), value)).collect(),
        }),
    };
    let kept: Vec<_> = outcomes.iter().map(write).collect();
    // Texts and lists of texts always can be written.
    serde_json::to_string(&kept).unwrap_or_default()
}

fn read_outcomes(text: &str) -> Option<Vec<ChannelOutcome>> {
    let kept: Vec<KeptOutcome> = serde_json::from_str(text).ok()?;
    kept.into_iter().map(read_outcome).collect()
}

fn read_outcome(kept: KeptOutcome) -> Option<ChannelOutcome> {
    let refusal = match kept.refusal {
        Some(refusal) => Some(Refusal {
            code: RefusalCode::from_name(&refusal.code)?,
            field: refusal.field,
            params: refusal.params.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        }),
        None => None,
    };
    Some(ChannelOutcome {
        engineer: EngineerId(kept.engineer.parse().ok()?),
        channel: ChannelKind::from_name(&kept.channel)?,
        status: ConfirmationStatus::from_name(&kept.status)?,
        refusal,
    })
}
