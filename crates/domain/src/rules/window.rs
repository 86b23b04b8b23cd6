//! R-WIN-1: the 24-hour window of a contact and sender opens, and re-opens, with each inbound
//! WhatsApp message, at the provider's time stamp, and closes 24 h later to the millisecond.
//! Inside: any content. Outside: approved templates only.
//!
//! R-WIN-2: outside, a message without a template uses the sender's default template; without
//! that, WhatsApp cannot carry it.

use crate::model::content::{Content, MessageType, PriceCategory, TemplateUse};
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
    Template(&'a TemplateUse),
}

impl WhatsAppForm<'_> {
    /// What it is charged as.
    pub const fn price_category(&self) -> PriceCategory {
        match self {
            Self::FreeForm => PriceCategory::Service,
            Self::Template(template) => template.category,
        }
    }
}

/// The form in which WhatsApp carries `content` with the window so; `None` when it cannot.
///
/// A message of kind `template` is its template inside the window too. Other content is itself
/// inside the window; outside it is the message's template, else `default_template`.
pub fn whatsapp_form<'a>(
    content: &'a Content,
    default_template: Option<&'a TemplateUse>,
    window: Window,
) -> Option<WhatsAppForm<'a>> {
    if content.kind == MessageType::Template {
        return content.template.as_ref().map(WhatsAppForm::Template);
    }
    match window {
        Window::Open { .. } => Some(WhatsAppForm::FreeForm),
        Window::Closed => content
            .template
            .as_ref()
            .or(default_template)
            .map(WhatsAppForm::Template),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let default = TemplateUse {
            id: "default".into(),
            ..own.clone()
        };
        let open = Window::Open {
            closes_at: Timestamp::from_millis(1),
        };
        for kind in MessageType::ALL {
            for (has_own, has_default, window) in [false, true]
                .into_iter()
                .flat_map(|o| [false, true].map(move |d| (o, d)))
                .flat_map(|(o, d)| [open, Window::Closed].map(move |w| (o, d, w)))
            {
                let content = Content {
                    kind,
                    text: None,
                    extra: None,
                    template: has_own.then(|| own.clone()),
                    email: None,
                };
                let form = whatsapp_form(&content, has_default.then_some(&default), window);
                let want = match (kind == MessageType::Template, window.is_open()) {
                    (true, _) => has_own.then_some("own"),
                    (false, true) => Some("free"),
                    (false, false) if has_own => Some("own"),
                    (false, false) => has_default.then_some("default"),
                };
                let got = form.map(|it| match it {
                    WhatsAppForm::FreeForm => "free",
                    WhatsAppForm::Template(template) => &*template.id,
                });
                assert_eq!(got, want, "{kind:?} {has_own} {has_default} {window:?}");
            }
        }
    }
}
