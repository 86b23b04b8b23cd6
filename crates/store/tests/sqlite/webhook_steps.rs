//! Steps of random scripts that concern endpoints and events.

use domain::ids::SenderKey;
use domain::model::event::{EventKind, EventKinds, EventSeq};
use domain::model::webhook::{SignatureVersion, WebhookSecret};
use domain::time::{Millis, Timestamp};
use ports::conformance::store::kit::PROJECT;
use ports::store::webhooks::{
    Delivery, DeliveryResult, PruneEvents, Replay, WebhookChange, WebhookSetting,
};
use ports::store::{Epoch, Op};

use super::scripts::Step;

fn sender(step: &Step) -> SenderKey {
    SenderKey(1 + u32::from(step.who % 2))
}

fn seq(step: &Step) -> EventSeq {
    EventSeq(i64::from(step.what % 60))
}

/// A change of an endpoint.
pub(super) fn change(step: &Step, now: Timestamp) -> Op {
    let secret = WebhookSecret::new(format!("whsec_{}", step.detail));
    let setting = match step.which % 8 {
        0..=3 => WebhookSetting::Set {
            url: (!step.which.is_multiple_of(4))
                .then(|| format!("https://example.com/{}", step.what).into()),
            events: step
                .is_long
                .then(|| EventKinds::ALL.without(EventKind::ALL[usize::from(step.what % 7)])),
            active: (!step.detail.is_multiple_of(3)).then_some(step.detail % 3 == 1),
            signature: Some(SignatureVersion::ALL[usize::from(step.what % 3)]),
            secret,
        },
        4 if step.is_long => WebhookSetting::Clear,
        4 => WebhookSetting::Rotate(secret),
        5 => WebhookSetting::Replay(Replay::Events(vec![seq(step), EventSeq(3), EventSeq(5)])),
        6 => {
            // Everything or nothing: in these scripts the clock jumps, and the place of a moment
            // among the events is sought as if it did not.
            let days = if step.is_long { -1 } else { 1 };
            WebhookSetting::Replay(Replay::Since(now.plus(Millis::days(days))))
        }
        _ => WebhookSetting::Replay(Replay::Dead),
    };
    Op::Webhook(Box::new(WebhookChange {
        project: PROJECT,
        sender: sender(step),
        at: now,
        setting,
    }))
}

/// What became of a delivery.
pub(super) fn delivery(step: &Step, now: Timestamp) -> Op {
    let next_try_at = now.plus(Millis::minutes(1));
    let why = format!("status {}", step.detail).into();
    let result = match step.which % 6 {
        0..=1 => DeliveryResult::Delivered,
        2 => DeliveryResult::Passed,
        3 => DeliveryResult::Failed { next_try_at, why },
        _ => DeliveryResult::GivenUp { next_try_at, why },
    };
    Op::Delivery(Box::new(Delivery {
        sender: sender(step),
        version: 1 + u32::from(step.detail % 3),
        seq: seq(step),
        again: step.is_long,
        result,
        at: now,
        epoch: Epoch(0),
    }))
}

/// Forgets events.
pub(super) fn prune(step: &Step, now: Timestamp) -> Op {
    Op::PruneEvents(PruneEvents {
        events_before: now.plus(Millis::minutes(-5)),
        needed_before: now.plus(Millis::minutes(-60)),
        after: EventSeq((i64::from(step.which) - 1).max(0)),
        limit: u16::from(step.detail % 9),
    })
}
