//! What the claims of a token mean here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AuthSection;
use crate::{
    config::findings::Findings,
    domain::{actor::Role, id::AccountId},
};

/// The claims of rollcall's own tokens.
pub const DEFAULT_CLAIMS: ClaimNames = ClaimNames { account: "account", roles: "roles", engineer: "engineer" };

/// Names of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimNames {
    /// Names the account.
    pub account: &'static str,
    /// Holds the roles.
    pub roles: &'static str,
    /// Says who the engineer is.
    pub engineer: &'static str,
}

/// What other names for roles mean here: lists of names as the identity provider has them. One name may stand in several lists.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RoleMappingSection {
    /// The names that give the role VIEWER.
    viewer: Vec<String>,
    /// The names that give the role OPERATOR.
    operator: Vec<String>,
    /// The names that give the role ADMIN.
    admin: Vec<String>,
    /// The names that give the role ENGINEER. Its holder must be on the roll.
    engineer: Vec<String>,
}

/// The roles that each name gives.
pub type RoleMapping = BTreeMap<String, Vec<Role>>;

/// What the claims of a token mean here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimsConfig {
    /// Which account.
    pub account: AccountClaim,
    /// The claim that holds the roles.
    pub roles: String,
    /// What its names mean; `None`: they are the names of our roles.
    pub role_mapping: Option<RoleMapping>,
    /// The claim that says who the engineer is.
    pub engineer: String,
    /// The directory whose key of the person that claim is; `None`: the claim names it too, or is an id.
    pub engineer_directory: Option<String>,
}

/// Where the account of a token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountClaim {
    /// It is always that one.
    Fixed(AccountId),
    /// The claim of that name tells it.
    Named(String),
}

impl Default for ClaimsConfig {
    fn default() -> Self {
        Self {
            account: AccountClaim::Named(DEFAULT_CLAIMS.account.to_owned()),
            roles: DEFAULT_CLAIMS.roles.to_owned(),
            role_mapping: None,
            engineer: DEFAULT_CLAIMS.engineer.to_owned(),
            engineer_directory: None,
        }
    }
}

impl AuthSection {
    pub(super) fn resolve_claims(&self, findings: &mut Findings) -> Option<ClaimsConfig> {
        let account = self.resolve_account(findings);
        let mapping = self.role_mapping.as_ref().map(|mapping| mapping.resolve(findings));
        let directory = self.engineer_directory.as_deref();
        Some(ClaimsConfig {
            account: account?,
            roles: findings.take_line("auth.roles_claim", &self.roles_claim),
            role_mapping: mapping,
            engineer: findings.take_line("auth.engineer_claim", &self.engineer_claim),
            engineer_directory: directory.map(|name| findings.take_line("auth.engineer_directory", name)),
        })
    }

    fn resolve_account(&self, findings: &mut Findings) -> Option<AccountClaim> {
        match (&self.account, &self.account_claim) {
            (Some(_), Some(_)) => {
                findings.refuse("auth.account", "cannot stand beside auth.account_claim; keep one of them");
                None
            }
            (Some(account), None) => {
                let parsed = account.parse().map_err(|_| format!("\"{account}\" is no key of an account"));
                findings.accept("auth.account", parsed).map(AccountClaim::Fixed)
            }
            (None, claim) => {
                let name = claim.as_deref().unwrap_or(DEFAULT_CLAIMS.account);
                Some(AccountClaim::Named(findings.take_line("auth.account_claim", name)))
            }
        }
    }
}

impl RoleMappingSection {
    fn resolve(&self, findings: &mut Findings) -> RoleMapping {
        let mut mapping = RoleMapping::new();
        let lists = [
            (Role::Viewer, "viewer", &self.viewer),
            (Role::Operator, "operator", &self.operator),
            (Role::Admin, "admin", &self.admin),
            (Role::Engineer, "engineer", &self.engineer),
        ];
        for (role, key, names) in lists {
            for name in names {
                if name.trim().is_empty() {
                    findings.refuse(&format!("auth.role_mapping.{key}"), "must not have a blank name");
                }
                mapping.entry(name.clone()).or_default().push(role);
            }
        }
        if mapping.is_empty() {
            findings.refuse("auth.role_mapping", "must name at least one role, such as viewer = [\"staff\"]");
        }
        mapping
    }
}
