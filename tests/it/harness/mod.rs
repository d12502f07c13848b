//! What the tests stand on: whole servers with a clock that is moved by hand, on either database, and clients for them.

pub mod app;
pub mod clock;
pub mod events;
pub mod identity_provider;
pub mod postgres;
pub mod process;
pub mod provider;
pub mod proxy;
pub mod raw;
pub mod roll;
pub mod script;
pub mod smtp;
pub mod socket;
pub mod wire;

/// How often something is done: few times in `make test`, many in `make soak`, which sets the variable `SOAK`.
pub fn times(short: usize, long: usize) -> usize {
    if std::env::var_os("SOAK").is_some_and(|value| value == "1") { long } else { short }
}

/// One body, two tests. The PostgreSQL half is left out, aloud, only under `NO_POSTGRES=1`.
macro_rules! both_dbs {
    ($($(#[$meta:meta])* $name:ident)*) => { $(
        mod $name {
            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(crate::harness::app::Database::sqlite()).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(database) = crate::harness::app::Database::postgres() {
                    super::$name(database).await;
                }
            }
        }
    )* };
}
pub(crate) use both_dbs;
