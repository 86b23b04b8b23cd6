//! R-WIN-1: the 24-hour window of a contact and sender opens, and re-opens, with each inbound
//! WhatsApp message, at the provider's time stamp, and closes 24 h later to the millisecond.
//! Inside: any content. Outside: approved templates only.
//!
//! R-WIN-2: outside, a message without a template uses the sender's default template; without
//! that, WhatsApp cannot carry it. A template that its provider has not approved is none.

use crate::decision::ChannelDrop;
use crate::model::content::{Content, MessageType, PriceCategory, TemplateUse};
use crate::rules::template::{TemplateFacts, may_go_on_whatsapp};
use crate::time::{Millis, Timestamp};

/// How long the window stays open after the contact's last inbound message.
pub const WINDOW: Millis = Millis::hours(24);

/// Whether anything but an approved template may be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Window {
    /// Yes.
    Open {
        /// The first moment at which it is closed.
        closes_at: Timestamp,
    },
    /// No.
    Closed,
}

impl Window {
    /// Whether it is open.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

/// The window at `now`, given the provider's time stamp of the newest inbound WhatsApp message
/// (`None`: never, or corrected by R-WIN-4).
///
/// Exactly 24 h later it is closed. A provider whose clock is ahead of ours opens it at once.
pub fn window(opened_at: Option<Timestamp>, now: Timestamp) -> Window {
    match opened_at.map(|at| at.plus(WINDOW)) {
        Some(closes_at) if now < closes_at => Window::Open { closes_at },
        Some(_) | None => Window::Closed,
    }
}

/// The form in which WhatsApp carries a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhatsAppForm<'a> {
    /// The content itself.
    FreeForm,
    /// An approved template: the message's own, or the sender's default.
    Template {
        /// Which, filled.
        template: &'a TemplateUse,
        /// What it is charged as now.
        category: PriceCategory,
    },
}

impl WhatsAppForm<'_> {
    /// What it is charged as.
    pub const fn price_category(&self) -> PriceCategory {
        match self {
            Self::FreeForm => PriceCategory::Service,
            Self::Template { category, .. } => *category,
        }
    }
}

/// The form in which WhatsApp carries `content` with the window so, or why it cannot.
///
/// A message of kind `template` is its template inside the window too. Other content is itself
/// inside the window; outside it is the message's template, else the sender's default.
pub fn whatsapp_form<'a>(
    content: &'a Content,
    templates: TemplateFacts<'a>,
    window: Window,
) -> Result<WhatsAppForm<'a>, ChannelDrop> {
    let is_template = content.kind == MessageType::Template;
    if window.is_open() && !is_template {
        return Ok(WhatsAppForm::FreeForm);
    }
    let (template, standing) = match (&content.template, templates.default) {
        (Some(own), _) => (own, templates.own),
        // A template that does not exist cannot be expressed; all else waits for the window.
        (None, _) if is_template => return Err(ChannelDrop::ContentNotExpressible),
        (None, Some((default, standing))) => (default, Some(standing)),
        (None, None) => return Err(ChannelDrop::WindowClosed),
    };
    match standing {
        Some(it) if may_go_on_whatsapp(it.status) => Ok(WhatsAppForm::Template {
            template,
            category: it.category,
        }),
        Some(_) | None => Err(ChannelDrop::TemplateNotApproved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::template::{TemplateStanding, TemplateStatus};

    #[test]
    fn the_window_closes_24_hours_after_the_last_message_to_the_millisecond() {
        let day = 24 * 60 * 60 * 1_000;
        let opened = Timestamp::from_millis(1_000_000);
        for (later, open) in [
            (-1, true),
            (0, true),
            (1, true),
            (day - 1, true),
            (day, false),
            (day + 1, false),
        ] {
            let now = opened.plus(Millis::new(later));
            assert_eq!(
                window(Some(opened), now).is_open(),
                open,
                "{later} ms later"
            );
        }
    }

    #[test]
    fn a_contact_who_never_wrote_has_no_window() {
        assert_eq!(window(None, Timestamp::from_millis(0)), Window::Closed);
    }

    #[test]
    fn the_form_follows_kind_window_and_templates() {
        let own = TemplateUse::plain("own", PriceCategory::Utility);
        let default = TemplateUse::plain("default", PriceCategory::Utility);
        let open = Window::Open {
            closes_at: Timestamp::from_millis(1),
        };
        // A template that is gone stands nowhere any more.
        let own_stands = [None, Some(None)]
            .into_iter()
            .chain(TemplateStatus::ALL.map(|it| Some(Some(it))));
        let default_stands = [None].into_iter().chain(TemplateStatus::ALL.map(Some));
        let standing = |status| TemplateStanding {
            status,
            category: PriceCategory::Marketing,
        };
        for (kind, window) in MessageType::ALL
            .into_iter()
            .flat_map(|kind| [open, Window::Closed].map(move |it| (kind, it)))
        {
            for (has_own, of_default) in own_stands
                .clone()
                .flat_map(|o| default_stands.clone().map(move |d| (o, d)))
            {
                let content = Content {
                    kind,
                    text: None,
                    extra: None,
                    template: has_own.map(|_| own.clone()),
                    email: None,
                };
                let templates = TemplateFacts {
                    own: has_own.flatten().map(standing),
                    default: of_default.map(|it| (&default, standing(it))),
                };
                let form = whatsapp_form(&content, templates, window);
                let approved = |status: Option<TemplateStatus>, name| {
                    if status == Some(TemplateStatus::Approved) {
                        Ok(name)
                    } else {
                        Err(ChannelDrop::TemplateNotApproved)
                    }
                };
                let want = match (kind == MessageType::Template, window.is_open(), has_own) {
                    (false, true, _) => Ok("free"),
                    (_, _, Some(status)) => approved(status, "own"),
                    (true, _, None) => Err(ChannelDrop::ContentNotExpressible),
                    (false, false, None) if of_default.is_some() => approved(of_default, "default"),
                    (false, false, None) => Err(ChannelDrop::WindowClosed),
                };
                let got = form.map(|it| match it {
                    WhatsAppForm::FreeForm => "free",
                    WhatsAppForm::Template { template, .. } => &*template.id,
                });
                assert_eq!(got, want, "{kind:?} {has_own:?} {of_default:?} {window:?}");
            }
        }
    }

    #[test]
    fn a_template_is_charged_as_the_category_that_it_has_now() {
        let mut content = Content::text("x");
        content.template = Some(TemplateUse::plain("own", PriceCategory::Utility));
        let templates = TemplateFacts {
            own: Some(TemplateStanding {
                status: TemplateStatus::Approved,
                category: PriceCategory::Marketing,
            }),
            default: None,
        };
        let form = whatsapp_form(&content, templates, Window::Closed).unwrap();
        assert_eq!(form.price_category(), PriceCategory::Marketing);
    }
}
