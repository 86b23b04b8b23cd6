//! The letter that a webhook gets.

use std::time::Duration;

use domain::time::Timestamp;
use engine::publish::Letters;
use engine::topology::Topology;
use ports::courier::PostRequest;
use ports::store::events::EventRecord;
use ports::store::messages::MessageView;
use ports::store::webhooks::Webhook;

use super::signature::signature;
use crate::v1::events::envelope;

/// What we call ourselves; the second part is what receivers of the original may look for.
const USER_AGENT: &str = "Tandem-Webhook/1.0 (Zavu-Webhook/1.0)";

/// Writes events down for webhooks, signed.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebhookLetters;

impl Letters for WebhookLetters {
    fn letter(
        &self,
        event: &EventRecord,
        message: Option<&MessageView>,
        webhook: &Webhook,
        topology: &Topology,
        now: Timestamp,
        patience: Duration,
    ) -> Option<PostRequest> {
        let body = envelope::write(event, message, topology)?;
        let signature = signature(webhook.signature, &webhook.secret, &body, now);
        Some(PostRequest {
            url: webhook.url.clone(),
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("user-agent", USER_AGENT.to_owned()),
                ("x-zavu-event", event.event.kind.code().to_owned()),
                ("x-zavu-signature", signature),
            ],
            body: body.into_bytes(),
            timeout: patience,
        })
    }
}
