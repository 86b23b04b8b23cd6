//! Templates as they are kept, and what becomes of one when somebody changes it: every store finds
//! the record, calls the function of the change, and writes the result back.

use domain::ids::{ProjectKey, TemplateId};
use domain::model::content::PriceCategory;
use domain::model::template::{
    HeaderDefinition, HeaderKind, TemplateStanding, TemplateStatus, TemplateText,
};
use domain::time::Timestamp;

use crate::provider::{ProviderTemplate, TemplateUpdate};

/// A template as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// Whose.
    pub project: ProjectKey,
    /// What it says; its category is the one that it is charged as now.
    pub text: TemplateText,
    /// The id of the same content at Twilio (`HX…`), where that has it.
    pub content_sid: Option<Box<str>>,
    /// Where it stands with the provider.
    pub status: TemplateStatus,
    /// The provider's name for it, once a provider has it.
    pub provider: Option<ProviderLink>,
    /// Why it stands so, in the provider's words.
    pub reason: Option<Box<str>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The provider's name for a template.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ProviderLink {
    /// The account that has it ([`TemplateRegistrar::account`](crate::provider::TemplateRegistrar)).
    pub account: Box<str>,
    /// Its id there.
    pub provider_id: Box<str>,
}

/// A change to a template. Where it stands otherwise than before, that brings an event in the same
/// transaction ([`of_template`](super::events::of_template)).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TemplateChange {
    /// Makes a draft. Another with the same name may exist.
    Create(Box<TemplateText>),
    /// Forgets it; messages that took it keep what they took.
    Delete(TemplateId),
    /// A provider has it for approval ([`submitted`]).
    Submitted {
        /// Which.
        id: TemplateId,
        /// The provider's name for it.
        provider: ProviderLink,
        /// Where it stands.
        status: TemplateStatus,
        /// The category that the provider gave it.
        category: PriceCategory,
    },
    /// A provider changed it ([`updated`]). It is the one with the provider's id; else the newest
    /// of this name and language that no other account has ([`fits`]).
    Updated {
        /// The provider's account.
        account: Box<str>,
        /// What changed.
        update: Box<TemplateUpdate>,
    },
    /// Brings in what a provider has ([`synced`]), found likewise; it is made where there is none.
    Synced {
        /// The provider's account.
        account: Box<str>,
        /// The template there.
        template: Box<ProviderTemplate>,
    },
}

/// What became of a change to a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TemplateOutcome {
    /// Done; the template as it is now.
    Done(Box<Template>),
    /// Brought in.
    Synced(SyncEffect, Box<Template>),
    /// Forgotten.
    Gone(TemplateId),
    /// There is none.
    NoSuchTemplate,
}

/// What bringing in a provider's template did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SyncEffect {
    /// It was made.
    Imported,
    /// One of ours was found to be it.
    Linked,
    /// It was known, and something of it is new.
    Updated,
    /// Nothing of it is new.
    Unchanged,
}

/// Which templates to list, newest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TemplateFilter {
    /// Whose.
    pub project: ProjectKey,
    /// Only made before this one.
    pub before: Option<TemplateId>,
    /// At most so many.
    pub limit: u16,
}

/// How well a template fits what a provider names; better is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fit {
    /// By name and language.
    Name,
    /// By the provider's id.
    Id,
}

/// Whether a template is the one that `account` means, and how well; of several that fit equally well it is the
/// newest.
pub fn fits(
    template: &Template,
    account: &str,
    provider_id: &str,
    name: &str,
    language: &str,
) -> Option<Fit> {
    let has_account = |it: &ProviderLink| &*it.account == account;
    let link = template.provider.as_ref();
    if link.is_some_and(|it| has_account(it) && &*it.provider_id == provider_id) {
        return Some(Fit::Id);
    }
    let definition = &template.text.definition;
    let same = &*definition.name == name && &*definition.language == language;
    // Under another id of the same account it was removed there and made anew.
    (same && link.is_none_or(has_account)).then_some(Fit::Name)
}

impl Template {
    /// How it stands now.
    pub const fn standing(&self) -> TemplateStanding {
        TemplateStanding {
            status: self.status,
            category: self.text.definition.category,
        }
    }

    /// A new draft.
    pub const fn draft(
        id: TemplateId,
        project: ProjectKey,
        text: TemplateText,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            project,
            text,
            content_sid: None,
            status: TemplateStatus::Draft,
            provider: None,
            reason: None,
            created_at: at,
            updated_at: at,
        }
    }

    fn link(&mut self, provider: ProviderLink) {
        if let Some(sid) = content_sid(&provider.provider_id) {
            self.content_sid = Some(sid.into());
        }
        self.provider = Some(provider);
    }
}

/// The provider's id where it is one of Twilio's contents: `HX` and 32 hexadecimal digits.
fn content_sid(provider_id: &str) -> Option<&str> {
    let digits = provider_id.strip_prefix("HX")?;
    let good = digits.len() == 32 && digits.bytes().all(|it| it.is_ascii_hexdigit());
    good.then_some(provider_id)
}

/// A provider has it for approval: the link, the status and the category are the provider's, and
/// an earlier reason is forgotten.
pub fn submitted(
    template: &mut Template,
    provider: ProviderLink,
    status: TemplateStatus,
    category: PriceCategory,
    at: Timestamp,
) {
    template.link(provider);
    template.status = status;
    template.text.definition.category = category;
    template.reason = None;
    template.updated_at = at;
}

/// A provider changed it: what the update says, and the link where it has none or an older one. A
/// new status brings its reason, or none. Nothing new: not even the time of the change is.
pub fn updated(template: &mut Template, account: &str, update: &TemplateUpdate, at: Timestamp) {
    let before = template.clone();
    if !update.provider_id.is_empty() {
        template.link(ProviderLink {
            account: account.into(),
            provider_id: update.provider_id.clone(),
        });
    }
    if let Some(status) = update.status {
        template.status = status;
        template.reason.clone_from(&update.reason);
    }
    if let Some(category) = update.category {
        template.text.definition.category = category;
    }
    if *template != before {
        template.updated_at = at;
    }
}

/// Takes over what the provider has: all of the definition, but the medium of the header, of which
/// providers keep an example only, and a body that they do not tell. Our names and our texts for
/// other channels stay.
pub fn synced(
    template: &mut Template,
    account: &str,
    theirs: &ProviderTemplate,
    at: Timestamp,
) -> SyncEffect {
    let before = template.clone();
    template.link(ProviderLink {
        account: account.into(),
        provider_id: theirs.provider_id.clone(),
    });
    if template.status != theirs.status {
        template.status = theirs.status;
        template.reason = None;
    }
    let ours = &mut template.text.definition;
    let mut definition = theirs.definition.clone();
    if definition.body.is_empty() {
        definition.body = std::mem::take(&mut ours.body);
    }
    if let (Some(new), Some(old)) = (&mut definition.header, ours.header.take()) {
        keep_medium(new, old);
    }
    *ours = definition;
    if *template == before {
        return SyncEffect::Unchanged;
    }
    template.updated_at = at;
    if before.provider.is_none() {
        SyncEffect::Linked
    } else {
        SyncEffect::Updated
    }
}

fn keep_medium(new: &mut HeaderDefinition, old: HeaderDefinition) {
    if new.kind == old.kind && new.kind != HeaderKind::Text && old.content.is_some() {
        new.content = old.content;
    }
}

/// A template that only the provider had.
pub fn imported(
    id: TemplateId,
    project: ProjectKey,
    account: &str,
    theirs: &ProviderTemplate,
    at: Timestamp,
) -> Template {
    let text = TemplateText {
        definition: theirs.definition.clone(),
        variables: Vec::new(),
        sms_body: None,
        telegram_body: None,
        instagram_body: None,
    };
    let mut template = Template::draft(id, project, text, at);
    synced(&mut template, account, theirs, at);
    template
}
