//! `rollcall token`.

use chrono::Duration;
use clap::Args;

use super::{account, failure::Failure, logging, output, settings::Settings};
use crate::{
    app::{self, EngineerClaim, NewToken},
    config::TokenKeysConfig,
    domain::{
        actor::Role,
        clock::{Clock as _, SystemClock},
        id::AccountId,
    },
};

/// Print an access token
///
/// Only the secret in the data folder is needed (or the one of the configuration). Where there is a database already, its audit log
/// tells of the token. Where an identity provider makes the tokens (auth.jwks_url or auth.oidc_issuer), there are none from here.
#[derive(Debug, Args)]
pub(super) struct Token {
    /// The account that its holder works in [default: the only one of the configuration]
    #[arg(long, value_parser = account::parse)]
    account: Option<AccountId>,
    /// What its holder may do: VIEWER, OPERATOR, ADMIN or ENGINEER; can be given several times
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = parse_role)]
    roles: Vec<Role>,
    /// How long it is good: seconds, minutes, hours or days, such as 90s, 30m, 1h or 7d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = app::parse_ttl)]
    ttl: Duration,
    /// Who holds it, as the log of changes names them
    #[arg(long, value_name = "NAME", default_value = "command line")]
    subject: String,
    /// The engineer who holds it, for the role ENGINEER: an id, or a directory and its key of the person, such as hr:u-1001
    #[arg(long, value_name = "ID")]
    engineer: Option<EngineerClaim>,
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::from_name(&text.to_uppercase()).ok_or_else(|| {
        let known: Vec<_> = Role::ALL.into_iter().map(Role::name).collect();
        format!("must be one of {}", known.join(", "))
    })
}

impl Token {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let is_engineer = self.roles.contains(&Role::Engineer);
        if is_engineer != self.engineer.is_some() {
            return Err(Failure::usage("--role ENGINEER and --engineer go together: the role is that of one engineer"));
        }
        let config = settings.load_for_command()?;
        logging::start(&config.log)?;
        let account = match self.account {
            // Before the first start, or with the data folder alone, there is no configuration to hold it against.
            Some(account) if config.accounts.is_empty() => account,
            Some(account) if !config.accounts.contains_key(&account) => {
                let unknown = account::describe_unknown(&config, &account);
                return Err(Failure::new(format!("{unknown}. For a demonstration, add --demo")));
            }
            named => account::choose(&config, named.as_ref())?,
        };
        if matches!(config.auth.keys, TokenKeysConfig::Secrets { present: None, .. }) && !config.data.dir.exists() {
            let folder = config.data.dir.display();
            output::note(&format!("note: the folder {folder} is new; only a server that uses it takes this token"));
        }
        let now = SystemClock.now();
        let token = NewToken {
            subject: self.subject,
            account,
            roles: self.roles,
            engineer: self.engineer,
            expires_at: now + self.ttl,
        };
        let issued = app::issue_token_offline(&config, &token, now).await?;
        if !issued.recorded {
            output::note("note: there is no database yet, so no audit log tells of this token");
        }
        output::print(&format!("{}\n", issued.text))
    }
}
