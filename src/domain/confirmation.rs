//! The state machine of a channel: what can happen to its confirmation, and what follows.
//!
//! A [`Channel`] is in one [`Confirmation`] state. [`Channel::apply`] takes what happened and answers with the next state, or
//! says why there is none. Requests are *generations*: an answer is applied only to the generation that it answers.

use chrono::{DateTime, Duration, Utc};

use super::{channel::ChannelKind, id::ChannelSubscriptionId, named::named};

/// How long a confirmation message can be answered, counted from the moment just before the provider was asked. SMN's links
/// live as long (SMN user guide, "Adding a subscription").
pub const LINK_LIFETIME: Duration = Duration::hours(48);

named! {
    /// The name of a state, as in the API.
    pub enum ConfirmationStatus {
        /// There is no endpoint.
        NotConfigured = "NOT_CONFIGURED",
        /// There is an endpoint, and nobody asked.
        Unsubscribed = "UNSUBSCRIBED",
        /// To be handed to the provider.
        Requested = "REQUESTED",
        /// The message is out.
        Pending = "PENDING",
        /// The person confirmed.
        Confirmed = "CONFIRMED",
        /// Nobody answered within the link's lifetime.
        Expired = "EXPIRED",
        /// The person opted out, or the request is gone at the provider.
        Cancelled = "CANCELLED",
        /// The provider refused for good.
        Failed = "FAILED",
        /// A chat robot with an endpoint.
        NotRequired = "NOT_REQUIRED",
    }
}

named! {
    /// Why a provider refused for good.
    pub enum FailureCode {
        /// The endpoint does not exist or takes no messages.
        EndpointRefused = "ENDPOINT_REFUSED",
        /// The provider refuses the sender: credentials, permission, balance.
        SenderRefused = "SENDER_REFUSED",
        /// A quota of the provider is used up.
        QuotaExceeded = "QUOTA_EXCEEDED",
    }
}

named! {
    /// Why a status changed.
    pub enum StatusChangeCause {
        /// Someone pressed Subscribe.
        Subscribed = "SUBSCRIBED",
        /// The provider took the request.
        ProviderAccepted = "PROVIDER_ACCEPTED",
        /// The provider refused the request for good.
        ProviderRefused = "PROVIDER_REFUSED",
        /// The person confirmed on the page that the link opens.
        Link = "LINK",
        /// The code was typed in elsewhere.
        Code = "CODE",
        /// The confirmation sync found it so.
        Sync = "SYNC",
        /// The link's lifetime ran out.
        Expiry = "EXPIRY",
        /// A person edited the endpoint.
        Edit = "EDIT",
        /// The person opted out.
        OptOut = "OPT_OUT",
        /// A directory sync brought it.
        Directory = "DIRECTORY",
        /// An operator cancelled.
        Cancel = "CANCEL",
    }
}

/// One request to confirm a channel at its present endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The generation.
    pub generation: ChannelSubscriptionId,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it may be handed to the provider: later than `requested_at` where the resend limits make it wait.
    pub due_at: DateTime<Utc>,
}

/// How far the confirmation of a channel got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// There is no endpoint.
    NotConfigured,
    /// There is an endpoint, and nobody asked.
    Unsubscribed,
    /// A chat robot with an endpoint.
    NotRequired,
    /// To be handed to the provider.
    Requested(Request),
    /// The message is out.
    Pending {
        /// The request.
        request: Request,
        /// When the link dies: at this very moment it is dead.
        expires_at: DateTime<Utc>,
    },
    /// The person confirmed.
    Confirmed {
        /// The request.
        request: Request,
        /// When the person confirmed.
        at: DateTime<Utc>,
    },
    /// Nobody answered in time.
    Expired {
        /// The request.
        request: Request,
        /// When the link died.
        expires_at: DateTime<Utc>,
    },
    /// The person opted out, or the request is gone at the provider.
    Cancelled(Request),
    /// The provider refused for good.
    Failed {
        /// The request.
        request: Request,
        /// Why.
        code: FailureCode,
    },
}

impl Confirmation {
    /// The state's name.
    pub const fn status(&self) -> ConfirmationStatus {
        match self {
            Self::NotConfigured => ConfirmationStatus::NotConfigured,
            Self::Unsubscribed => ConfirmationStatus::Unsubscribed,
            Self::NotRequired => ConfirmationStatus::NotRequired,
            Self::Requested(_) => ConfirmationStatus::Requested,
            Self::Pending { .. } => ConfirmationStatus::Pending,
            Self::Confirmed { .. } => ConfirmationStatus::Confirmed,
            Self::Expired { .. } => ConfirmationStatus::Expired,
            Self::Cancelled(_) => ConfirmationStatus::Cancelled,
            Self::Failed { .. } => ConfirmationStatus::Failed,
        }
    }

    /// The present request, where there is one.
    pub const fn request(&self) -> Option<Request> {
        match self {
            Self::NotConfigured | Self::Unsubscribed | Self::NotRequired => None,
            Self::Requested(request)
            | Self::Pending { request, .. }
            | Self::Confirmed { request, .. }
            | Self::Expired { request, .. }
            | Self::Cancelled(request)
            | Self::Failed { request, .. } => Some(*request),
        }
    }
}

/// How a confirmation was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// On the page that the link opens.
    Link,
    /// By the code, typed in elsewhere.
    Code,
    /// Found confirmed by the confirmation sync.
    Sync,
}

impl Proof {
    const fn cause(self) -> StatusChangeCause {
        match self {
            Self::Link => StatusChangeCause::Link,
            Self::Code => StatusChangeCause::Code,
            Self::Sync => StatusChangeCause::Sync,
        }
    }
}

/// Who set or asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A person.
    Person,
    /// A directory sync.
    Directory,
}

/// What can happen to a channel. Answers name the generation that they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// Someone asks for a confirmation, and [`Channel::subscribable`] allowed it.
    Subscribed {
        /// The new request.
        request: Request,
        /// Who asks.
        origin: Origin,
    },
    /// The provider took the request.
    Accepted {
        /// The generation.
        generation: ChannelSubscriptionId,
        /// When the link dies.
        expires_at: DateTime<Utc>,
    },
    /// The provider refused the request for good.
    Refused {
        /// The generation.
        generation: ChannelSubscriptionId,
        /// Why.
        code: FailureCode,
    },
    /// The person confirmed.
    Confirmed {
        /// The generation.
        generation: ChannelSubscriptionId,
        /// How.
        proof: Proof,
        /// When.
        at: DateTime<Utc>,
    },
    /// Time went by.
    TimePassed {
        /// The generation.
        generation: ChannelSubscriptionId,
        /// The present moment.
        now: DateTime<Utc>,
    },
    /// The person opted out.
    OptedOut {
        /// The generation.
        generation: ChannelSubscriptionId,
    },
    /// Two complete listings of the provider in a row lacked the request.
    GoneAtProvider {
        /// The generation.
        generation: ChannelSubscriptionId,
    },
    /// The endpoint was set to another value.
    EndpointSet {
        /// The request that goes with it; `None` where nobody is to be asked.
        request: Option<Request>,
        /// Who set it.
        origin: Origin,
    },
    /// The endpoint was cleared.
    EndpointCleared {
        /// Who cleared it.
        origin: Origin,
    },
    /// An operator cancelled.
    Cancelled,
}

/// What an applied happening leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The state that was left.
    pub from: Confirmation,
    /// The state that was reached. Its status may be the same: a new endpoint asked for again is REQUESTED as before.
    pub to: Confirmation,
    /// Why.
    pub cause: StatusChangeCause,
    /// The generation that is now cancel work.
    pub retired: Option<ChannelSubscriptionId>,
}

/// Why a happening led to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoStep {
    /// The channel is so already.
    #[error("nothing changes")]
    Unchanged,
    /// The answer is to a retired generation: it is cancel work.
    #[error("the answer is to a retired request")]
    Late,
    /// It cannot happen in this state.
    #[error("that cannot happen in status {}", .0.name())]
    Impossible(ConfirmationStatus),
}

/// What may be told of a chat robot's endpoint. The webhook and the secret themselves are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Robot {
    /// The webhook's host and last characters.
    pub masked: String,
    /// Whether a signing secret is kept.
    pub secret_set: bool,
}

/// A channel of one engineer: its kind and how far its confirmation got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The kind.
    pub kind: ChannelKind,
    /// How far the confirmation got.
    pub state: Confirmation,
    /// The chat robot, for channels that end at one.
    pub robot: Option<Robot>,
}

impl Channel {
    /// A channel without an endpoint.
    pub const fn empty(kind: ChannelKind) -> Self {
        Self { kind, state: Confirmation::NotConfigured, robot: None }
    }

    /// The state's name.
    pub const fn status(&self) -> ConfirmationStatus {
        self.state.status()
    }

    /// What follows when this happens now.
    ///
    /// # Errors
    /// When nothing follows; the reason says whether that is fine.
    pub fn apply(&self, happening: Happening) -> Result<Step, NoStep> {
        match happening {
            Happening::EndpointSet { request, origin } => Ok(self.set_endpoint(request, origin)),
            Happening::EndpointCleared { origin } => self.clear_endpoint(origin),
            Happening::Subscribed { request, origin } => self.subscribe(request, origin),
            Happening::Cancelled => self.cancel(),
            Happening::Accepted { generation, expires_at } => {
                self.answer(generation, |state| accepted(state, expires_at))
            }
            Happening::Refused { generation, code } => self.answer(generation, |state| refused(state, code)),
            Happening::Confirmed { generation, proof, at } => {
                self.answer(generation, |state| confirmed(state, proof, at))
            }
            Happening::TimePassed { generation, now } => self.answer(generation, |state| time_passed(state, now)),
            Happening::OptedOut { generation } => {
                self.answer(generation, |state| ended(state, StatusChangeCause::OptOut))
            }
            Happening::GoneAtProvider { generation } => {
                self.answer(generation, |state| ended(state, StatusChangeCause::Sync))
            }
        }
    }

    fn step(&self, to: Confirmation, cause: StatusChangeCause) -> Step {
        let before = self.state.request().map(|request| request.generation);
        let after = to.request().map(|request| request.generation);
        Step { from: self.state, to, cause, retired: before.filter(|_| before != after) }
    }

    fn set_endpoint(&self, request: Option<Request>, origin: Origin) -> Step {
        let to = match request {
            _ if !self.kind.needs_confirmation() => Confirmation::NotRequired,
            Some(request) => Confirmation::Requested(request),
            None => Confirmation::Unsubscribed,
        };
        self.step(to, origin_cause(origin, StatusChangeCause::Edit))
    }

    fn clear_endpoint(&self, origin: Origin) -> Result<Step, NoStep> {
        match self.state {
            Confirmation::NotConfigured => Err(NoStep::Unchanged),
            Confirmation::Unsubscribed
            | Confirmation::NotRequired
            | Confirmation::Requested(_)
            | Confirmation::Pending { .. }
            | Confirmation::Confirmed { .. }
            | Confirmation::Expired { .. }
            | Confirmation::Cancelled(_)
            | Confirmation::Failed { .. } => {
                Ok(self.step(Confirmation::NotConfigured, origin_cause(origin, StatusChangeCause::Edit)))
            }
        }
    }

    fn subscribe(&self, request: Request, origin: Origin) -> Result<Step, NoStep> {
        match self.state {
            Confirmation::Unsubscribed
            | Confirmation::Pending { .. }
            | Confirmation::Expired { .. }
            | Confirmation::Cancelled(_)
            | Confirmation::Failed { .. } => {
                Ok(self.step(Confirmation::Requested(request), origin_cause(origin, StatusChangeCause::Subscribed)))
            }
            Confirmation::NotConfigured
            | Confirmation::NotRequired
            | Confirmation::Requested(_)
            | Confirmation::Confirmed { .. } => Err(NoStep::Impossible(self.status())),
        }
    }

    fn cancel(&self) -> Result<Step, NoStep> {
        match self.state {
            Confirmation::Requested(_) | Confirmation::Pending { .. } | Confirmation::Confirmed { .. } => {
                Ok(self.step(Confirmation::Unsubscribed, StatusChangeCause::Cancel))
            }
            Confirmation::Unsubscribed => Err(NoStep::Unchanged),
            Confirmation::NotConfigured
            | Confirmation::NotRequired
            | Confirmation::Expired { .. }
            | Confirmation::Cancelled(_)
            | Confirmation::Failed { .. } => Err(NoStep::Impossible(self.status())),
        }
    }

    /// Applies an answer if it is to the present request.
    fn answer(
        &self,
        generation: ChannelSubscriptionId,
        follow: impl FnOnce(&Confirmation) -> Result<(Confirmation, StatusChangeCause), NoStep>,
    ) -> Result<Step, NoStep> {
        if self.state.request().is_none_or(|request| request.generation != generation) {
            return Err(NoStep::Late);
        }
        follow(&self.state).map(|(to, cause)| self.step(to, cause))
    }
}

const fn origin_cause(origin: Origin, by_person: StatusChangeCause) -> StatusChangeCause {
    match origin {
        Origin::Person => by_person,
        Origin::Directory => StatusChangeCause::Directory,
    }
}

type Followed = Result<(Confirmation, StatusChangeCause), NoStep>;

fn accepted(state: &Confirmation, expires_at: DateTime<Utc>) -> Followed {
    let Confirmation::Requested(request) = *state else { return Err(NoStep::Unchanged) };
    Ok((Confirmation::Pending { request, expires_at }, StatusChangeCause::ProviderAccepted))
}

fn refused(state: &Confirmation, code: FailureCode) -> Followed {
    let Confirmation::Requested(request) = *state else { return Err(NoStep::Unchanged) };
    Ok((Confirmation::Failed { request, code }, StatusChangeCause::ProviderRefused))
}

/// A link or code answers a message that is out and alive. What the sync finds confirmed is confirmed, also after a late click
/// or by a provider's own re-subscribe link.
fn confirmed(state: &Confirmation, proof: Proof, at: DateTime<Utc>) -> Followed {
    let (request, answerable) = match *state {
        Confirmation::Confirmed { .. } => return Err(NoStep::Unchanged),
        Confirmation::Pending { request, expires_at } => (request, at < expires_at),
        Confirmation::Requested(request)
        | Confirmation::Expired { request, .. }
        | Confirmation::Cancelled(request)
        | Confirmation::Failed { request, .. } => (request, false),
        Confirmation::NotConfigured | Confirmation::Unsubscribed | Confirmation::NotRequired => {
            return Err(NoStep::Late);
        }
    };
    if answerable || proof == Proof::Sync {
        Ok((Confirmation::Confirmed { request, at }, proof.cause()))
    } else {
        Err(NoStep::Impossible(state.status()))
    }
}

fn time_passed(state: &Confirmation, now: DateTime<Utc>) -> Followed {
    match *state {
        Confirmation::Pending { request, expires_at } if now >= expires_at => {
            Ok((Confirmation::Expired { request, expires_at }, StatusChangeCause::Expiry))
        }
        Confirmation::Pending { .. }
        | Confirmation::NotConfigured
        | Confirmation::Unsubscribed
        | Confirmation::NotRequired
        | Confirmation::Requested(_)
        | Confirmation::Confirmed { .. }
        | Confirmation::Expired { .. }
        | Confirmation::Cancelled(_)
        | Confirmation::Failed { .. } => Err(NoStep::Unchanged),
    }
}

fn ended(state: &Confirmation, cause: StatusChangeCause) -> Followed {
    match *state {
        Confirmation::Pending { request, .. } | Confirmation::Confirmed { request, .. } => {
            Ok((Confirmation::Cancelled(request), cause))
        }
        Confirmation::Cancelled(_) => Err(NoStep::Unchanged),
        Confirmation::NotConfigured
        | Confirmation::Unsubscribed
        | Confirmation::NotRequired
        | Confirmation::Requested(_)
        | Confirmation::Expired { .. }
        | Confirmation::Failed { .. } => Err(NoStep::Impossible(state.status())),
    }
}
