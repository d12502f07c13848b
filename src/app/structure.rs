//! The structure of the database: what it lacks, and bringing it up to date.

use migration::{Comparison, MigratorTrait as _};

use super::{AppError, Migrations, database::open_as_it_is};
use crate::{
    config::Config,
    store::{Store, StoreError},
};

/// Brings the database up to date. Tells how many changes were made.
///
/// # Errors
/// When the database fails.
pub async fn migrate(config: &Config) -> Result<usize, AppError> {
    let store = open_as_it_is(config).await?;
    let found = compare(&store).await?;
    refuse_mixed(&found)?;
    if !found.pending.is_empty() {
        apply(&store).await?;
    }
    Ok(found.pending.len())
}

/// How many changes the database lacks.
///
/// # Errors
/// When the database fails.
pub async fn count_pending_migrations(config: &Config) -> Result<usize, AppError> {
    Ok(compare(&open_as_it_is(config).await?).await?.pending.len())
}

/// Sees to it that the structure is one that this version works with.
///
/// # Errors
/// When it is not and may not be changed, or the database fails.
pub(super) async fn prepare(store: &Store, migrations: Migrations) -> Result<(), AppError> {
    let found = compare(store).await?;
    refuse_mixed(&found)?;
    if found.pending.is_empty() {
        if !found.unknown.is_empty() {
            tracing::warn!(changes = found.unknown.len(), "The database's structure is of a newer version");
        }
        return Ok(());
    }
    let remedy = match migrations {
        Migrations::Apply => None,
        Migrations::ApplyEmbedded if store.is_embedded() => None,
        Migrations::ApplyEmbedded => Some("run `rollcall migrate`, or start with --migrate"),
        Migrations::Require => Some("run `rollcall migrate`"),
    };
    match remedy {
        None => apply(store).await,
        Some(remedy) => {
            let pending = found.pending.len();
            Err(AppError::Other(format!("the database lacks {pending} changes of its structure: {remedy}")))
        }
    }
}

/// A newer version brings all changes of the older ones, so a database that lacks some and has others is of neither.
pub(super) fn refuse_mixed(found: &Comparison) -> Result<(), AppError> {
    if found.pending.is_empty() || found.unknown.is_empty() {
        return Ok(());
    }
    let (lacks, has) = (found.pending.join(", "), found.unknown.join(", "));
    Err(AppError::Other(format!(
        "the database's structure is of another line of versions: it lacks {lacks}, and has {has}, which this version does not \
         know; use the version that made it"
    )))
}

/// Compares the structure with what this version knows.
///
/// # Errors
/// When the database fails.
pub(super) async fn compare(store: &Store) -> Result<Comparison, StoreError> {
    Ok(migration::compare(store.structure_connection()).await?)
}

async fn apply(store: &Store) -> Result<(), AppError> {
    let applied = migration::Migrator::up(store.migration_connection(), None).await;
    applied.map_err(|error| StoreError::from(error).into())
}
