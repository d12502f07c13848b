//! The built-in provider's links and codes, and the consent records.

use chrono::{DateTime, Utc};
use entity::confirmation_link;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Func, OnConflict},
};
use uuid::Uuid;

use super::{Rows, Store, StoreError, row::Place};
use crate::domain::{
    channel::ChannelKind,
    confirmation::Proof,
    id::{AccountId, ChannelSubscriptionId, EngineerId},
    named::named,
};

named! {
    /// How a person answered.
    pub enum Answer {
        /// They confirmed.
        Confirmed = "CONFIRMED",
        /// They do not want messages.
        OptedOut = "OPTED_OUT",
    }
}

/// What is kept of an answer: what was shown, and how and when it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The answer.
    pub answer: Answer,
    /// How it was given.
    pub via: Proof,
    /// What was shown, as JSON.
    pub shown: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A link with its code, and what became of it. Only hashes are known of either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The generation that the link is bound to.
    pub generation: ChannelSubscriptionId,
    /// Whose channel.
    pub engineer: EngineerId,
    /// Which channel.
    pub channel: ChannelKind,
    /// The hash of the token; `None` once the link is dead.
    pub token_hash: Option<String>,
    /// The keyed hash of the code.
    pub code_hash: String,
    /// How many wrong codes were typed.
    pub wrong_codes: i32,
    /// When the link dies.
    pub expires_at: DateTime<Utc>,
    /// When the message was handed to the transport.
    pub sent_at: Option<DateTime<Utc>>,
    /// The answer.
    pub answer: Option<Answer>,
}

impl Store {
    /// The account and link of a token's hash. The one finder without an account: the token itself, 128 bits of randomness, is
    /// what proves the right.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_link_by_token(&self, token_hash: &str) -> Result<Option<(AccountId, Link)>, StoreError> {
        let row = confirmation_link::Entity::find()
            .filter(confirmation_link::Column::TokenHash.eq(token_hash))
            .one(self.reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let place = Place { table: "confirmation_link", id: &row.generation };
        let account = place.need("account", row.account.parse().ok())?;
        Ok(Some((account, read_link(&row)?)))
    }
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// The link of a generation.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_link(&self, generation: ChannelSubscriptionId) -> Result<Option<Link>, StoreError> {
        let row = confirmation_link::Entity::find_by_id(generation.0)
            .filter(confirmation_link::Column::Account.eq(self.account.as_str()))
            .one(self.db)
            .await?;
        row.as_ref().map(read_link).transpose()
    }

    /// One page of the living links whose message left, ordered by generation.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_links(&self, after: Option<ChannelSubscriptionId>, limit: u64) -> Result<Vec<Link>, StoreError> {
        let mut query = confirmation_link::Entity::find()
            .filter(confirmation_link::Column::Account.eq(self.account.as_str()))
            .filter(confirmation_link::Column::SentAt.is_not_null())
            .filter(confirmation_link::Column::TokenHash.is_not_null())
            .order_by_asc(confirmation_link::Column::Generation)
            .limit(limit);
        if let Some(after) = after {
            query = query.filter(confirmation_link::Column::Generation.gt(after.0));
        }
        query.all(self.db).await?.iter().map(read_link).collect()
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// The same, locked to the end of the transaction.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn lock_link(&self, generation: ChannelSubscriptionId) -> Result<Option<Link>, StoreError> {
        let row = confirmation_link::Entity::find_by_id(generation.0)
            .filter(confirmation_link::Column::Account.eq(self.account.as_str()))
            .lock_exclusive()
            .one(self.db)
            .await?;
        row.as_ref().map(read_link).transpose()
    }

    /// Writes a link that is not answered: a new one, or new hashes for a generation whose message was not sent yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_link(&self, link: &Link) -> Result<(), StoreError> {
        use confirmation_link::Column;
        let row = confirmation_link::ActiveModel {
            generation: Set(link.generation.0),
            account: Set(self.account.to_string()),
            engineer_id: Set(link.engineer.0),
            kind: Set(link.channel.name().to_owned()),
            token_hash: Set(link.token_hash.clone()),
            code_hash: Set(link.code_hash.clone()),
            wrong_codes: Set(link.wrong_codes),
            expires_at: Set(link.expires_at),
            sent_at: Set(link.sent_at),
            answer: Set(None),
            answered_via: Set(None),
            answered_at: Set(None),
            shown: Set(None),
        };
        let mut on_conflict = OnConflict::column(Column::Generation);
        on_conflict.update_columns([
            Column::TokenHash,
            Column::CodeHash,
            Column::WrongCodes,
            Column::ExpiresAt,
            Column::SentAt,
        ]);
        confirmation_link::Entity::insert(row).on_conflict(on_conflict).exec_without_returning(self.db).await?;
        Ok(())
    }

    /// Writes the consent record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answer_link(&self, generation: ChannelSubscriptionId, consent: Consent) -> Result<(), StoreError> {
        let via = match consent.via {
            Proof::Link => "LINK",
            Proof::Code => "CODE",
            Proof::Sync => "SYNC",
        };
        let row = confirmation_link::ActiveModel {
            answer: Set(Some(consent.answer.name().to_owned())),
            answered_via: Set(Some(via.to_owned())),
            answered_at: Set(Some(consent.at)),
            shown: Set(Some(consent.shown)),
            ..Default::default()
        };
        // Whoever answers has the message, also where the record of its leaving was lost.
        let sent_at = Func::coalesce([Expr::col(confirmation_link::Column::SentAt), Expr::value(consent.at)]);
        confirmation_link::Entity::update_many()
            .set(row)
            .col_expr(confirmation_link::Column::SentAt, sent_at.into())
            .filter(confirmation_link::Column::Account.eq(self.account.as_str()))
            .filter(confirmation_link::Column::Generation.eq(generation.0))
            .exec(self.db)
            .await?;
        Ok(())
    }

    /// Kills a link. What was answered stays as consent record; what was not is removed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn kill_link(&self, generation: ChannelSubscriptionId) -> Result<(), StoreError> {
        confirmation_link::Entity::delete_many()
            .filter(confirmation_link::Column::Account.eq(self.account.as_str()))
            .filter(confirmation_link::Column::Generation.eq(generation.0))
            .filter(confirmation_link::Column::Answer.is_null())
            .exec(self.db)
            .await?;
        confirmation_link::Entity::update_many()
            .col_expr(confirmation_link::Column::TokenHash, Expr::value(Option::<String>::None))
            .filter(confirmation_link::Column::Account.eq(self.account.as_str()))
            .filter(confirmation_link::Column::Generation.eq(generation.0))
            .exec(self.db)
            .await?;
        Ok(())
    }
}

fn read_link(row: &confirmation_link::Model) -> Result<Link, StoreError> {
    let place = Place { table: "confirmation_link", id: &row.generation as &Uuid };
    Ok(Link {
        generation: ChannelSubscriptionId(row.generation),
        engineer: EngineerId(row.engineer_id),
        channel: place.name("kind", &row.kind, ChannelKind::from_name)?,
        token_hash: row.token_hash.clone(),
        code_hash: row.code_hash.clone(),
        wrong_codes: row.wrong_codes,
        expires_at: row.expires_at,
        sent_at: row.sent_at,
        answer: place.name_opt("answer", row.answer.as_deref(), Answer::from_name)?,
    })
}
