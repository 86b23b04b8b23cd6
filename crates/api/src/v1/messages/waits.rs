//! What does a message wait for that has not gone? Its status alone cannot say so: it never moves back, so that
//! a message whose WhatsApp attempt failed after it was sent stays `sent` until a text message left.

use domain::model::attempt::AttemptState;
use domain::model::channel::Channel;
use domain::model::progress::{Progress, Waiting};
use engine::topology::Topology;
use serde::Serialize;
use utoipa::ToSchema;

use crate::schema;

/// What an outbound message waits for that has not gone.
#[derive(Serialize, ToSchema, PartialEq, Eq, Debug)]
#[schema(as = MessageWaits)]
pub(super) struct WaitsOut {
    /// `time` (`scheduledAt`), `route` (for room, or for one that is up), `person` (who has taken it sends
    /// it from their own phone), `fallback` (another channel is chosen in seconds), or `outcome` (a route has
    /// it, and has not said whether it went).
    #[serde(rename = "for")]
    #[schema(schema_with = schema::waits_for)]
    what: &'static str,
    /// The channel that it is to go by; absent where that is not decided yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    /// The channels by which it has failed.
    failed: Vec<&'static str>,
}

impl WaitsOut {
    /// What it waits for; nothing where it has gone, or has ended.
    pub(super) fn of(progress: &Progress, topology: &Topology) -> Option<Self> {
        let last = progress.last_attempt();
        let on = |route| topology.route(route).map(|it| it.channel);
        let (what, channel) = match progress.waiting {
            Waiting::Schedule { .. } => ("time", None),
            Waiting::Lane(lane) => ("route", on(lane.route)),
            Waiting::Person(_) => ("person", Some(Channel::Sms)),
            Waiting::Fallback { .. } => ("fallback", None),
            Waiting::No => match last {
                Some(it) if !progress.is_ended() && is_open(it.state) => {
                    ("outcome", Some(it.channel))
                }
                Some(_) | None => return None,
            },
        };
        let failed = progress.attempts.iter();
        let failed = failed.filter(|it| it.state == AttemptState::Failed);
        Some(Self {
            what,
            channel: channel.map(Channel::code),
            failed: failed.map(|it| it.channel.code()).collect(),
        })
    }
}

/// Whether it is not known that the attempt went.
const fn is_open(state: AttemptState) -> bool {
    match state {
        AttemptState::Sending | AttemptState::Unknown => true,
        AttemptState::Sent
        | AttemptState::Failed
        | AttemptState::Delivered
        | AttemptState::Read => false,
    }
}
