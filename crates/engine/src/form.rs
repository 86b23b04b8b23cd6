//! What form does a message take on a channel: to which of the recipient's addresses does it go, from
//! which of ours, and is it a template?

use std::sync::Arc;

use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::contact::ContactFacts;
use domain::model::content::TemplateUse;
use domain::model::sender::Sender;
use domain::rules::window::{WhatsAppForm, whatsapp_form, window};
use domain::time::Timestamp;
use ports::store::messages::NewMessage;

use crate::templates::Usable;

/// The form of a message on the channel that was chosen for it.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    /// Our address; empty where the route fixes it.
    pub(crate) from: Arc<str>,
    /// The recipient's address.
    pub(crate) to: Address,
    /// The template in place of the content (R-WIN-2).
    pub(crate) template: Option<Arc<TemplateUse>>,
}

impl Form {
    /// The form on `channel`, by the facts that it was chosen on.
    pub(crate) fn of(
        message: &NewMessage,
        contact: &ContactFacts,
        sender: &Sender,
        templates: &Usable,
        channel: Channel,
        now: Timestamp,
    ) -> Self {
        let from = if channel.is_phone_addressed() {
            Arc::clone(&sender.address)
        } else {
            Arc::from("")
        };
        // The plan drops channels on which the recipient has no address.
        let to = contact.address_on(channel, &message.to);
        Self {
            from,
            to: to.unwrap_or(&message.to).clone(),
            template: template(message, contact, templates, channel, now),
        }
    }
}

fn template(
    message: &NewMessage,
    contact: &ContactFacts,
    templates: &Usable,
    channel: Channel,
    now: Timestamp,
) -> Option<Arc<TemplateUse>> {
    if channel != Channel::WhatsApp {
        return None;
    }
    let window = window(contact.thread.whatsapp_window_from, now);
    match whatsapp_form(&message.content, templates.facts(), window).ok()? {
        WhatsAppForm::FreeForm => None,
        WhatsAppForm::Template { template, .. } => Some(Arc::new(templates.handed(template))),
    }
}
