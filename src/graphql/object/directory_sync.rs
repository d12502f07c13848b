//! Directory syncs and what they did to whom.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::{
    choice::{DirectorySyncState, SyncReason, UserErrorCode, from_name},
    engineer::Engineer,
};
use crate::{
    domain::{
        account::Locale,
        id::DirectorySyncId,
        refusal::{Refusal, RefusalCode},
    },
    graphql::{
        connection::{Connection, Listing, PageArgs},
        context::Caller,
        error::{Fault, Result},
        loader::People,
        node::id,
        scalar::DateTime,
    },
    store::{Keyset, SyncOutcome as Outcome, SyncRun},
};

/// One run of a directory sync.
#[derive(Clone)]
pub(in crate::graphql) struct DirectorySync {
    run: Arc<SyncRun>,
}

/// How many people a directory sync handled, and how.
#[derive(SimpleObject)]
pub(in crate::graphql) struct DirectorySyncCounts {
    /// People to be handled.
    total: i32,
    /// People handled so far.
    done: i32,
    /// Came onto the roll.
    added: i32,
    /// Were on the roll and differed.
    updated: i32,
    /// Came from another directory, or were added by hand before.
    moved: i32,
    /// Are no longer listed.
    gone: i32,
    /// Are as they were.
    unchanged: i32,
    /// Were left out; the outcomes say why.
    skipped: i32,
    /// Messages that go out, or would, by the run.
    messages: i32,
}

impl DirectorySync {
    /// A run as it stood when it was read.
    pub fn new(run: SyncRun) -> Self {
        Self { run: Arc::new(run) }
    }

    fn failure(&self) -> Option<Refusal> {
        let name = self.run.failure_code.as_deref()?;
        let code = RefusalCode::ALL.iter().copied().find(|code| code.name() == name)?;
        let counts = &self.run.counts;
        Some(Refusal::new(code).with("gone", counts.gone).with("changed", counts.applied()))
    }
}

/// One run of a directory sync: first the plan, then its application.
#[Object]
impl DirectorySync {
    /// The id: opaque, and never reused.
    pub async fn id(&self) -> ID {
        id(self.run.id)
    }

    /// Which directory.
    async fn directory(&self) -> &str {
        &self.run.wish.directory
    }

    /// How far it got.
    async fn state(&self) -> DirectorySyncState {
        self.run.state.into()
    }

    /// Whether only the plan is made, and nobody changed.
    async fn dry_run(&self) -> bool {
        self.run.wish.dry_run
    }

    /// Whether many people may be gone.
    async fn confirm_removals(&self) -> bool {
        self.run.wish.confirm_removals
    }

    /// Whether people who were deleted from the roll come back.
    async fn restore_deleted(&self) -> bool {
        self.run.wish.restore_deleted
    }

    /// Who asked for it: the subject of their token; null for the schedule.
    async fn requested_by(&self) -> Option<&str> {
        self.run.wish.requested_by.as_deref()
    }

    /// The counts so far.
    async fn counts(&self) -> DirectorySyncCounts {
        let counts = self.run.counts;
        DirectorySyncCounts {
            total: counts.total,
            done: counts.done,
            added: counts.added,
            updated: counts.updated,
            moved: counts.moved,
            gone: counts.gone,
            unchanged: counts.unchanged,
            skipped: counts.skipped,
            messages: counts.messages,
        }
    }

    /// Why it stopped. Set while NEEDS_CONFIRMATION and FAILED.
    async fn failure_code(&self) -> Option<UserErrorCode> {
        self.failure().map(|refusal| refusal.code.into())
    }

    /// The same for a person, in the caller's language.
    async fn failure_message(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        let refusal = self.failure()?;
        Some(Caller::of(ctx).map(|caller| refusal.message(caller.locale)))
    }

    /// What an operator needs to mend it, such as the line of the file, in English; null where there is nothing more to say.
    async fn failure_detail(&self) -> Option<&str> {
        let said = self.failure().map(|refusal| refusal.message(Locale::En));
        self.run.failure_message.as_deref().filter(|detail| said.as_deref() != Some(*detail))
    }

    /// Fields of the directory that rollcall does not know and left out.
    async fn unknown_fields(&self) -> &[String] {
        &self.run.unknown_fields
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        DateTime(self.run.created_at)
    }

    /// When it began; null while QUEUED.
    async fn started_at(&self) -> Option<DateTime> {
        self.run.started_at.map(DateTime)
    }

    /// When it ended; null until then.
    async fn finished_at(&self) -> Option<DateTime> {
        self.run.finished_at.map(DateTime)
    }

    /// What happened to whom, in the directory's order. People who are as they were have no entry.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments, which clients rely on")]
    async fn outcomes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only entries after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before this cursor.")] before: Option<String>,
    ) -> Result<Connection<SyncOutcomes>> {
        let args = PageArgs { first, after, last, before };
        Connection::load(SyncOutcomes { sync: self.run.id }, &args, Caller::of(ctx)?).await
    }
}

/// What stands before the name of a field among the codes of an outcome.
const FIELD: &str = "FIELD:";

/// What a directory sync did to one person.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graphql) enum SyncOutcomeKind {
    /// They came onto the roll.
    Added,
    /// They were on the roll and differed.
    Updated,
    /// They came from another directory, or were added by hand before. Their confirmations stay.
    Moved,
    /// They are no longer listed.
    Gone,
    /// They are listed and stay off the roll, or stay as they are.
    Skipped,
    /// The directory's entry cannot be read.
    Refused,
}

/// What a directory sync did to one person, and why.
#[derive(Clone)]
pub(in crate::graphql) struct SyncOutcome {
    outcome: Outcome,
    people: Arc<People>,
}

/// What a directory sync did to one person, and why.
#[Object]
impl SyncOutcome {
    /// What it did.
    async fn outcome(&self) -> Result<SyncOutcomeKind> {
        from_name(&self.outcome.outcome).ok_or_else(|| {
            tracing::error!(sync.outcome = %self.outcome.outcome, "A directory sync wrote an outcome that is not known");
            Fault::internal()
        })
    }

    /// To whom; null for someone who is not, or no longer, on the roll.
    async fn engineer_id(&self) -> Option<ID> {
        self.outcome.engineer.map(id)
    }

    /// The same, as they are now; null once deleted.
    async fn engineer(&self) -> Option<Result<Engineer>> {
        self.people.find(self.outcome.engineer?).await.transpose()
    }

    /// The directory's own key of the person.
    async fn external_id(&self) -> Option<&str> {
        self.outcome.external_id.as_deref()
    }

    /// The line of the file on which the person begins, from 1; null for a directory that is no file.
    async fn line(&self) -> Option<i32> {
        self.outcome.line.and_then(|line| i32::try_from(line).ok())
    }

    /// Why.
    async fn reasons(&self) -> Vec<SyncReason> {
        self.outcome.reasons.iter().filter_map(|code| from_name(code)).collect()
    }

    /// The field of the directory that is concerned, as the directory names it; null where it is none in particular.
    async fn field(&self) -> Option<&str> {
        self.outcome.reasons.iter().find_map(|code| code.strip_prefix(FIELD))
    }
}

/// The directory syncs, newest first.
pub(in crate::graphql) struct DirectorySyncs;

impl Listing for DirectorySyncs {
    type Row = SyncRun;
    type Node = DirectorySync;
    type Place = DirectorySyncId;

    async fn list(&self, caller: Caller<'_>, keyset: &Keyset<DirectorySyncId>) -> Result<Vec<SyncRun>> {
        Ok(caller.store().rows(caller.account()).list_syncs(keyset).await?)
    }

    async fn count(&self, caller: Caller<'_>) -> Result<u64> {
        Ok(caller.store().rows(caller.account()).count_syncs().await?)
    }

    fn place_of(&self, row: &SyncRun) -> DirectorySyncId {
        row.id
    }

    fn show(&self, _: Caller<'_>, rows: Vec<SyncRun>) -> Vec<DirectorySync> {
        rows.into_iter().map(DirectorySync::new).collect()
    }

    fn write_place(&self, place: &DirectorySyncId) -> String {
        place.to_string()
    }

    fn read_place(&self, text: &str) -> Option<DirectorySyncId> {
        text.parse().ok()
    }
}

/// The outcomes of one run, in the directory's order.
pub(in crate::graphql) struct SyncOutcomes {
    sync: DirectorySyncId,
}

impl Listing for SyncOutcomes {
    type Row = (i32, Outcome);
    type Node = SyncOutcome;
    type Place = i32;

    async fn list(&self, caller: Caller<'_>, keyset: &Keyset<i32>) -> Result<Vec<Self::Row>> {
        Ok(caller.store().rows(caller.account()).list_sync_outcomes(self.sync, keyset).await?)
    }

    async fn count(&self, caller: Caller<'_>) -> Result<u64> {
        Ok(caller.store().rows(caller.account()).count_sync_outcomes(self.sync).await?)
    }

    fn place_of(&self, row: &Self::Row) -> i32 {
        row.0
    }

    fn show(&self, caller: Caller<'_>, rows: Vec<Self::Row>) -> Vec<SyncOutcome> {
        let named = rows.iter().filter_map(|(_, outcome)| outcome.engineer);
        let people = People::named(caller.services, caller.account(), named);
        rows.into_iter().map(|(_, outcome)| SyncOutcome { outcome, people: Arc::clone(&people) }).collect()
    }

    fn write_place(&self, place: &i32) -> String {
        format!("outcomes|{}|{place}", self.sync)
    }

    fn read_place(&self, text: &str) -> Option<i32> {
        let (sync, place) = text.strip_prefix("outcomes|")?.split_once('|')?;
        if sync.parse() == Ok(self.sync) { place.parse().ok() } else { None }
    }
}
