//! The templates in memory: what a plan asks of them, and what follows when one changes.
//!
//! They are loaded at the start and follow the store's completions, so that every plan sees the
//! newest status and category. A change of either takes back what is ready with that template, and
//! has everything that waits looked at again (R-WIN-2, R-WIN-3).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use domain::ids::{ProjectKey, TemplateId};
use domain::model::audit::Actor;
use domain::model::contact::ContactFacts;
use domain::model::content::{Content, MessageType, PriceCategory, TemplateUse};
use domain::model::sender::Sender;
use domain::model::template::{TemplateRef, TemplateStatus};
use domain::rules::template::{TemplateFacts, fill_default};
use domain::rules::window::window;
use domain::time::Timestamp;
use parking_lot::RwLock;
use ports::connector::{Ack, Heard, Submission};
use ports::provider::TemplateUpdate;
use ports::store::templates::{Template, TemplateChange, TemplateOutcome};
use ports::store::{Op, Outcome, Store, Unavailable};
use tokio::sync::oneshot;

use crate::line::RouteLine;
use crate::{Inner, audit, settle};

/// Most templates that are held in memory; no more are made.
pub(crate) const MAX_TEMPLATES: usize = 10_000;
/// Templates that are loaded in one query.
const PAGE: u16 = 500;

/// Every template, by id and by name.
#[derive(Default)]
pub(crate) struct Templates {
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    by_id: HashMap<TemplateId, Arc<Template>>,
    by_name: HashMap<(ProjectKey, Box<str>), BTreeSet<TemplateId>>,
}

impl Held {
    fn put(&mut self, template: Template) -> Option<Arc<Template>> {
        let name = (template.project, template.text.definition.name.clone());
        // A name never changes.
        self.by_name.entry(name).or_default().insert(template.id);
        self.by_id.insert(template.id, Arc::new(template))
    }

    fn take(&mut self, id: TemplateId) -> Option<Arc<Template>> {
        let gone = self.by_id.remove(&id)?;
        let name = (gone.project, gone.text.definition.name.clone());
        if let Some(namesakes) = self.by_name.get_mut(&name) {
            namesakes.remove(&id);
            if namesakes.is_empty() {
                self.by_name.remove(&name);
            }
        }
        Some(gone)
    }
}

impl Templates {
    /// Those that the store has.
    pub(crate) async fn load(store: &dyn Store) -> Result<Self, Unavailable> {
        let mut held = Held::default();
        let mut after = None;
        while held.by_id.len() < MAX_TEMPLATES {
            let page = store.all_templates(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for template in page {
                held.put(template);
            }
        }
        Ok(Self {
            held: RwLock::new(held),
        })
    }

    /// A template of the project.
    pub(crate) fn get(&self, project: ProjectKey, id: TemplateId) -> Option<Arc<Template>> {
        let held = self.held.read();
        let found = held.by_id.get(&id).filter(|it| it.project == project);
        found.cloned()
    }

    /// The template that the configuration means: of several with the name an approved one, and of
    /// those the newest.
    pub(crate) fn named(&self, project: ProjectKey, named: &TemplateRef) -> Option<Arc<Template>> {
        let (name, language) = match named {
            TemplateRef::Id(id) => return self.get(project, *id),
            TemplateRef::Name { name, language } => (name, language),
        };
        let held = self.held.read();
        held.by_name
            .get(&(project, name.clone()))?
            .iter()
            .filter_map(|it| held.by_id.get(it))
            .filter(|it| {
                language
                    .as_ref()
                    .is_none_or(|language| *language == it.text.definition.language)
            })
            .max_by_key(|it| (it.status == TemplateStatus::Approved, it.id))
            .cloned()
    }

    /// Whether no more may be made.
    pub(crate) fn are_full(&self) -> bool {
        self.held.read().by_id.len() >= MAX_TEMPLATES
    }

    /// Follows what the store did; the template that messages may have to be planned anew for.
    fn follow(&self, outcome: &TemplateOutcome) -> Option<TemplateId> {
        let template = match outcome {
            TemplateOutcome::Done(template) | TemplateOutcome::Synced(_, template) => template,
            TemplateOutcome::Gone(id) => return self.held.write().take(*id).map(|_| *id),
            TemplateOutcome::NoSuchTemplate => return None,
        };
        let before = self.held.write().put((**template).clone());
        let stood = before.map(|it| it.standing());
        (stood != Some(template.standing())).then_some(template.id)
    }
}

/// The templates that one message may use, as they stand now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usable {
    own: Option<Arc<Template>>,
    default: Option<(TemplateUse, Arc<Template>)>,
}

impl Usable {
    /// For this content, from this sender. The default is looked for only while the window is
    /// closed and the message has no template of its own (R-WIN-2).
    pub(crate) fn of(
        inner: &Inner,
        content: &Content,
        sender: &Sender,
        contact: &ContactFacts,
        now: Timestamp,
    ) -> Self {
        let registry = &inner.templates;
        if let Some(own) = &content.template {
            let id = own.id.parse().ok();
            return Self {
                own: id.and_then(|it| registry.get(sender.project, it)),
                default: None,
            };
        }
        let is_open = window(contact.thread.whatsapp_window_from, now).is_open();
        let default = sender
            .default_template
            .as_ref()
            .filter(|_| !is_open && content.kind != MessageType::Template)
            .and_then(|it| registry.named(sender.project, it))
            .and_then(|it| Some((fill_default(it.id, &it.text, content.plain_text())?, it)));
        Self { own: None, default }
    }

    /// What the plan rule asks of them.
    pub(crate) fn facts(&self) -> TemplateFacts<'_> {
        TemplateFacts {
            own: self.own.as_ref().map(|it| it.standing()),
            default: self
                .default
                .as_ref()
                .map(|(filled, template)| (filled, template.standing())),
        }
    }

    /// What a template of the message is charged as now, or else the sender's.
    pub(crate) fn category(&self) -> Option<PriceCategory> {
        let default = self.default.as_ref().map(|it| &it.1);
        let template = self.own.as_ref().or(default)?;
        Some(template.text.definition.category)
    }

    /// What a connector is handed of the template that was chosen: filled as the message has it,
    /// with what the provider has of it now.
    pub(crate) fn handed(&self, filled: &TemplateUse) -> TemplateUse {
        let template = self
            .own
            .as_ref()
            .or_else(|| self.default.as_ref().map(|it| &it.1));
        let mut filled = filled.clone();
        if let Some(template) = template {
            filled.category = template.text.definition.category;
            filled.content_sid.clone_from(&template.content_sid);
        }
        filled
    }
}

/// Whether a submission's template stands as it did when the submission was planned.
pub(crate) fn still_stands(inner: &Inner, submission: &Submission) -> bool {
    let Some(used) = &submission.template else {
        return true;
    };
    let held = inner.templates.held.read();
    let template = used.id.parse().ok().and_then(|id| held.by_id.get(&id));
    template.is_some_and(|it| {
        it.status == TemplateStatus::Approved && it.text.definition.category == used.category
    })
}

/// Commits a change, and follows it: first here, then with what waits.
pub(crate) fn change(
    inner: &Arc<Inner>,
    by: Option<&Actor>,
    project: ProjectKey,
    change: TemplateChange,
) -> oneshot::Receiver<Result<TemplateOutcome, Unavailable>> {
    let (done, answer) = oneshot::channel();
    commit(inner, by, project, change, move |result| {
        // Safe because: a caller that went away has no use for the answer.
        let _unheard = done.send(result);
    });
    answer
}

fn commit(
    inner: &Arc<Inner>,
    by: Option<&Actor>,
    project: ProjectKey,
    change: TemplateChange,
    then: impl FnOnce(Result<TemplateOutcome, Unavailable>) + Send + 'static,
) {
    let op = Op::Template {
        project,
        change: Box::new(change),
        at: inner.now(),
    };
    let op = audit::audited(inner, by, op);
    let after_commit = {
        let inner = Arc::clone(inner);
        move |result: Result<Outcome, Unavailable>| {
            let result = result.and_then(Outcome::of_template);
            if let Ok(outcome) = &result
                && let Some(id) = inner.templates.follow(outcome)
            {
                plan_anew(&inner, id);
            }
            then(result);
        }
    };
    inner.store.commit(op, Box::new(after_commit));
}

/// A template stands otherwise: what is ready with it goes back to its lane, and all that waits is
/// looked at again.
fn plan_anew(inner: &Arc<Inner>, id: TemplateId) {
    let id = id.to_string();
    for line in inner.lines.values() {
        let uses_it = |it: &Submission| it.template.as_ref().is_some_and(|used| *used.id == *id);
        for key in line.take_back(uses_it) {
            settle::put_back(inner, key);
        }
    }
    settle::look_again(inner);
}

/// A provider changed a template: it is told when that is kept.
pub(crate) fn told(inner: &Arc<Inner>, line: &RouteLine, update: TemplateUpdate, ack: Ack) {
    let connector = line.connector();
    let Some(registrar) = connector.as_ref().and_then(|it| it.templates()) else {
        tracing::warn!(route = %line.route.id, "an update of a template on a route without any");
        ack(Heard::Kept);
        return;
    };
    let change = TemplateChange::Updated {
        account: registrar.account().into(),
        update: Box::new(update),
    };
    let route = Arc::clone(&line.route);
    commit(inner, None, line.route.project, change, move |result| {
        match &result {
            Ok(TemplateOutcome::Done(template)) => {
                tracing::info!(route = %route.id, template = %template.id,
                    status = template.status.code(), "the provider changed a template");
            }
            Ok(
                TemplateOutcome::NoSuchTemplate
                | TemplateOutcome::Gone(_)
                | TemplateOutcome::Synced(..),
            ) => {
                tracing::debug!(route = %route.id, "the provider changed a template that is not ours");
            }
            Err(error) => tracing::error!(%error, "a change of a template was not kept"),
        }
        ack(if result.is_ok() {
            Heard::Kept
        } else {
            Heard::TryAgain
        });
    });
}

/// Says which senders name a default template that does not exist (yet).
pub(crate) fn report_missing_defaults(inner: &Inner) {
    let topology = inner.topology();
    for project in topology.projects() {
        for sender in topology.senders(project.key) {
            if let Some(named) = &sender.default_template
                && inner.templates.named(project.key, named).is_none()
            {
                tracing::warn!(sender = %sender.id, template = %named,
                    "there is no such default template yet");
            }
        }
    }
}
