//! Who may do what.

use rollcall::domain::{
    actor::{Actor, Credential, Forbidden, Permission, Role, Sight},
    id::EngineerId,
};
use uuid::Uuid;

use super::{after, start};

const SELF: EngineerId = EngineerId(Uuid::from_u128(1));
const OTHER: EngineerId = EngineerId(Uuid::from_u128(2));

fn actor(roles: &[Role], engineer: Option<EngineerId>) -> Actor {
    Actor {
        account: "demo".parse().unwrap(),
        subject: "someone".to_owned(),
        roles: roles.to_vec(),
        engineer,
        expires_at: Some(after(100)),
        credential: Credential::Token,
    }
}

#[test]
fn every_role_is_read_back() {
    for role in Role::ALL {
        assert_eq!(Role::from_name(role.name()), Some(role));
    }
    assert_eq!(Role::from_name("admin"), None);
}

#[test]
fn every_role_may_do_what_the_matrix_says() {
    const ROLES: [Role; 4] = [Role::Viewer, Role::Operator, Role::Admin, Role::Engineer];
    //                                     VIEWER OPERAT ADMIN  ENGINEER
    let matrix = [
        (Permission::ViewRoll, [true, true, true, false]),
        (Permission::ViewContacts, [false, true, true, false]),
        (Permission::EditEngineers, [false, true, true, false]),
        (Permission::SubscribeChannels, [false, true, true, false]),
        (Permission::SyncDirectories, [false, true, true, false]),
        (Permission::DeleteEngineers, [false, true, true, false]),
        (Permission::EraseEngineers, [false, false, true, false]),
        (Permission::ExchangeFiles, [false, false, true, false]),
        (Permission::ManageApiKeys, [false, false, true, false]),
        (Permission::ViewAuditLog, [false, false, true, false]),
        (Permission::RevealContacts, [false, false, true, false]),
    ];
    assert_eq!(ROLES, Role::ALL);
    assert_eq!(matrix.map(|(permission, _)| permission), Permission::ALL);
    for (permission, allowed) in matrix {
        for (role, allowed) in ROLES.into_iter().zip(allowed) {
            let actor = actor(&[role], Some(SELF));
            assert_eq!(actor.may(permission), allowed, "{} {permission:?}", role.name());
            let required = if allowed { Ok(()) } else { Err(Forbidden) };
            assert_eq!(actor.require(permission), required, "{} {permission:?}", role.name());
        }
    }
}

#[test]
fn every_role_may_do_to_one_engineer_what_the_matrix_says() {
    let matrix: &[(Role, EngineerId, [bool; 4])] = &[
        //                       view   contacts edit   subscribe
        (Role::Viewer, SELF, [true, false, false, false]),
        (Role::Viewer, OTHER, [true, false, false, false]),
        (Role::Operator, SELF, [true, true, true, true]),
        (Role::Operator, OTHER, [true, true, true, true]),
        (Role::Admin, SELF, [true, true, true, true]),
        (Role::Admin, OTHER, [true, true, true, true]),
        (Role::Engineer, SELF, [true, true, true, true]),
        (Role::Engineer, OTHER, [false, false, false, false]),
    ];
    for (role, target, allowed) in matrix {
        let actor = actor(&[*role], Some(SELF));
        let told = [
            actor.can_view(*target),
            actor.can_view_contacts(*target),
            actor.can_edit(*target),
            actor.can_subscribe(*target),
        ];
        assert_eq!(told, *allowed, "{} of {target}", role.name());
    }
}

#[test]
fn roles_add_up() {
    let both = actor(&[Role::Viewer, Role::Engineer], Some(SELF));
    assert!(both.can_view(OTHER) && !both.can_view_contacts(OTHER) && !both.can_edit(OTHER));
    assert!(both.can_view_contacts(SELF) && both.can_edit(SELF) && both.can_subscribe(SELF));
    assert_eq!(both.sight(), Sight::WholeRoll);
}

#[test]
fn a_caller_without_a_role_that_shows_the_roll_sees_at_most_themself() {
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        assert_eq!(actor(&[role], None).sight(), Sight::WholeRoll, "{}", role.name());
    }
    assert_eq!(actor(&[Role::Engineer], Some(SELF)).sight(), Sight::Only(SELF));
    for nobody in [actor(&[Role::Engineer], None), actor(&[], Some(SELF)), actor(&[], None)] {
        assert_eq!(nobody.sight(), Sight::Nobody, "{:?}", nobody.roles);
        assert!(!nobody.can_view(SELF) && !nobody.can_edit(SELF) && !nobody.can_subscribe(SELF));
        assert!(Permission::ALL.into_iter().all(|permission| !nobody.may(permission)));
    }
}

#[test]
fn a_token_is_good_until_the_moment_it_dies() {
    let actor = actor(&[Role::Viewer], None);
    assert!(actor.is_current(start()));
    assert!(actor.is_current(after(99)));
    assert!(!actor.is_current(after(100)));
    assert!(Actor { expires_at: None, ..actor }.is_current(after(i64::from(i32::MAX))));
}
