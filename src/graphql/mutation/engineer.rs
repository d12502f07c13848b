//! Adding and editing engineers.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::{once::read_once, part, refuse};
use crate::{
    domain::{engineer, refusal::Refusal},
    graphql::{
        context::Caller,
        error::Result,
        loader::Mates,
        object::{
            choice::{ChannelKind, UserType},
            engineer::Engineer,
            user_error::UserError,
        },
    },
    service::{
        add_engineer::AddEngineer,
        edit::{Edit, EndpointEdit, EngineerEdits},
        update_engineer::UpdateEngineer,
    },
};

/// Adding and editing engineers.
#[derive(Default)]
pub(in crate::graphql) struct EngineerMutation;

/// Where a channel ends. A field that is left out stays as it is; null clears it.
#[derive(InputObject)]
pub(in crate::graphql) struct EndpointInput {
    /// The channel. SMS and VOICE share the mobile.
    kind: ChannelKind,
    /// The phone number, e-mail address or webhook, as typed.
    value: MaybeUndefined<String>,
    /// The signing secret of a chat robot.
    secret: MaybeUndefined<String>,
}

/// Someone to add by hand.
#[derive(InputObject)]
pub(in crate::graphql) struct AddEngineerInput {
    /// The user name, as the cloud shows it: 1 to 128 characters.
    name: String,
    /// The kind of user.
    user_type: UserType,
    /// The identity provider of a federated user; needed for VIRTUAL_USER_SSO.
    identity_provider: Option<String>,
    /// What people call them: up to 128 characters.
    alias: Option<String>,
    /// The language of messages, en or zh-CN; the account's where it is left out.
    locale: Option<String>,
    /// The mobile, as typed. SMS and VOICE are asked to be confirmed.
    mobile: Option<String>,
    /// The e-mail address, as typed. It is asked to be confirmed.
    email: Option<String>,
    /// Where channels end: chat robots, and another way to give mobile and email.
    endpoints: Option<Vec<EndpointInput>>,
    /// A text of the caller's own, such as a UUID: 1 to 255 characters. Sent again within 24 hours by the same caller, with the same
    /// input, the mutation is answered again and not done again.
    idempotency_key: Option<String>,
}

/// Edits of an engineer. A field that is left out stays as it is; null clears it.
#[derive(InputObject)]
pub(in crate::graphql) struct UpdateEngineerInput {
    /// Whom.
    id: ID,
    /// The version that was seen: the edit is refused if someone else edited since. Unchecked where it is left out.
    version: Option<i32>,
    /// What people call them: up to 128 characters.
    alias: MaybeUndefined<String>,
    /// The language of messages, en or zh-CN; null for the account's.
    locale: MaybeUndefined<String>,
    /// The mobile, as typed. A new one is asked to be confirmed for SMS and VOICE; the same one is not.
    mobile: MaybeUndefined<String>,
    /// The e-mail address, as typed. A new one is asked to be confirmed; the same one is not.
    email: MaybeUndefined<String>,
    /// Where channels end: chat robots, and another way to give mobile and email. Channels that are left out stay as they are.
    endpoints: Option<Vec<EndpointInput>>,
    /// A text of the caller's own, such as a UUID: 1 to 255 characters. Sent again within 24 hours by the same caller, with the same
    /// input, the mutation is answered again and not done again.
    idempotency_key: Option<String>,
}

/// What came of adding someone.
#[derive(SimpleObject)]
pub(in crate::graphql) struct AddEngineerPayload {
    /// The engineer; null where the input was refused, or where an earlier call added someone who is gone since.
    engineer: Option<Engineer>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// What came of an edit.
#[derive(SimpleObject)]
pub(in crate::graphql) struct UpdateEngineerPayload {
    /// The engineer as they are now; null where the edit was refused, or made by an earlier call and they are gone since.
    engineer: Option<Engineer>,
    /// What was refused. If anything was, nothing was changed.
    user_errors: Vec<UserError>,
}

#[Object]
impl EngineerMutation {
    /// Adds someone whom no directory lists. What they bring is asked to be confirmed.
    async fn add_engineer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: AddEngineerInput,
    ) -> Result<AddEngineerPayload> {
        let caller = Caller::of(ctx)?;
        let once = match read_once(ctx, caller, input.idempotency_key.as_deref())? {
            Ok(once) => once,
            Err(user_errors) => return Ok(AddEngineerPayload { engineer: None, user_errors }),
        };
        let input = AddEngineer {
            name: input.name,
            user_type: input.user_type.into(),
            identity_provider: input.identity_provider,
            edits: EngineerEdits {
                alias: given(input.alias),
                locale: given(input.locale),
                mobile: given(input.mobile),
                email: given(input.email),
                endpoints: endpoints(input.endpoints),
            },
        };
        let added = caller.services.add_engineer(caller.actor, input, once.as_ref()).await;
        let (engineer, user_errors) = show(caller, part(added, caller.locale)?);
        Ok(AddEngineerPayload { engineer, user_errors })
    }

    /// Edits an engineer: alias, language and where channels end. An ENGINEER edits only themself.
    async fn update_engineer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change of whom.")] input: UpdateEngineerInput,
    ) -> Result<UpdateEngineerPayload> {
        let caller = Caller::of(ctx)?;
        let once = match read_once(ctx, caller, input.idempotency_key.as_deref())? {
            Ok(once) => once,
            Err(user_errors) => return Ok(UpdateEngineerPayload { engineer: None, user_errors }),
        };
        let Ok(id) = input.id.parse() else {
            let user_errors = refuse(Refusal::not_found("engineer").at(&["id"]), caller.locale);
            return Ok(UpdateEngineerPayload { engineer: None, user_errors });
        };
        let edits = EngineerEdits {
            alias: edit(input.alias),
            locale: edit(input.locale),
            mobile: edit(input.mobile),
            email: edit(input.email),
            endpoints: endpoints(input.endpoints),
        };
        let input = UpdateEngineer { id, version: input.version, edits };
        let updated = caller.services.update_engineer(caller.actor, input, once.as_ref()).await;
        let (engineer, user_errors) = show(caller, part(updated, caller.locale)?);
        Ok(UpdateEngineerPayload { engineer, user_errors })
    }
}

/// A field of someone new.
fn given(value: Option<String>) -> Edit {
    value.map_or(Edit::Keep, Edit::Set)
}

/// A field of someone known.
fn edit(value: MaybeUndefined<String>) -> Edit {
    match value {
        MaybeUndefined::Undefined => Edit::Keep,
        MaybeUndefined::Null => Edit::Clear,
        MaybeUndefined::Value(text) => Edit::Set(text),
    }
}

fn endpoints(inputs: Option<Vec<EndpointInput>>) -> Vec<EndpointEdit> {
    let read = |input: EndpointInput| EndpointEdit {
        kind: input.kind.into(),
        value: edit(input.value),
        secret: edit(input.secret),
    };
    inputs.unwrap_or_default().into_iter().map(read).collect()
}

/// The engineer, or what was refused.
pub(super) fn show(
    caller: Caller<'_>,
    parted: Result<Option<engineer::Engineer>, Vec<UserError>>,
) -> (Option<Engineer>, Vec<UserError>) {
    match parted {
        Ok(engineer) => {
            (engineer.map(|engineer| Mates::alone(caller.services, caller.account(), engineer)), Vec::new())
        }
        Err(user_errors) => (None, user_errors),
    }
}
