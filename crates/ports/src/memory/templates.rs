//! Templates: made, forgotten, and changed as providers say.

use domain::ids::{ProjectKey, TemplateId};
use domain::model::template::TemplateStanding;
use domain::time::Timestamp;

use super::state::State;
use crate::store::events;
use crate::store::templates::{
    self, SyncEffect, Template, TemplateChange, TemplateFilter, TemplateOutcome,
};

impl State {
    pub(super) fn change_template(
        &mut self,
        project: ProjectKey,
        change: &TemplateChange,
        at: Timestamp,
    ) -> TemplateOutcome {
        match change {
            TemplateChange::Create(text) => {
                let id = TemplateId::from_key(self.keys.next(at));
                let draft = Template::draft(id, project, (**text).clone(), at);
                self.templates.insert(id, draft.clone());
                TemplateOutcome::Done(Box::new(draft))
            }
            TemplateChange::Delete(id) => match self.template(project, *id) {
                Some(_) => {
                    self.templates.remove(id);
                    TemplateOutcome::Gone(*id)
                }
                None => TemplateOutcome::NoSuchTemplate,
            },
            TemplateChange::Submitted {
                id,
                provider,
                status,
                category,
            } => match self.template(project, *id) {
                Some(mut it) => {
                    let was = it.standing();
                    templates::submitted(&mut it, provider.clone(), *status, *category, at);
                    self.keep_template(was, &it, at);
                    TemplateOutcome::Done(Box::new(it))
                }
                None => TemplateOutcome::NoSuchTemplate,
            },
            TemplateChange::Updated { account, update } => {
                let (id, name, language) = (&update.provider_id, &update.name, &update.language);
                match self.meant(project, account, id, name, language) {
                    Some(mut it) => {
                        let was = it.standing();
                        templates::updated(&mut it, account, update, at);
                        self.keep_template(was, &it, at);
                        TemplateOutcome::Done(Box::new(it))
                    }
                    None => TemplateOutcome::NoSuchTemplate,
                }
            }
            TemplateChange::Synced { account, template } => {
                let definition = &template.definition;
                let (name, language) = (&definition.name, &definition.language);
                let known = self.meant(project, account, &template.provider_id, name, language);
                let (effect, it) = if let Some(mut it) = known {
                    let was = it.standing();
                    let effect = templates::synced(&mut it, account, template, at);
                    self.keep_template(was, &it, at);
                    (effect, it)
                } else {
                    let id = TemplateId::from_key(self.keys.next(at));
                    let it = templates::imported(id, project, account, template, at);
                    self.templates.insert(id, it.clone());
                    (SyncEffect::Imported, it)
                };
                TemplateOutcome::Synced(effect, Box::new(it))
            }
        }
    }

    /// Keeps a template that was changed, with the event that this brings.
    fn keep_template(&mut self, was: TemplateStanding, template: &Template, at: Timestamp) {
        self.templates.insert(template.id, template.clone());
        if let Some(event) = events::of_template(was, template, at) {
            self.publishing.add(event);
        }
    }

    /// The template that a provider means.
    fn meant(
        &self,
        project: ProjectKey,
        account: &str,
        provider_id: &str,
        name: &str,
        language: &str,
    ) -> Option<Template> {
        self.templates
            .values()
            .filter(|it| it.project == project)
            .filter_map(|it| {
                let fit = templates::fits(it, account, provider_id, name, language)?;
                Some(((fit, it.id), it))
            })
            .max_by_key(|it| it.0)
            .map(|it| it.1.clone())
    }

    pub(super) fn template(&self, project: ProjectKey, id: TemplateId) -> Option<Template> {
        let found = self.templates.get(&id);
        found.filter(|it| it.project == project).cloned()
    }

    pub(super) fn list_templates(&self, filter: TemplateFilter) -> Vec<Template> {
        self.templates
            .values()
            .rev()
            .filter(|it| it.project == filter.project)
            .filter(|it| filter.before.is_none_or(|before| it.id < before))
            .take(filter.limit.into())
            .cloned()
            .collect()
    }

    pub(super) fn all_templates(&self, after: Option<TemplateId>, limit: usize) -> Vec<Template> {
        self.templates
            .values()
            .filter(|it| after.is_none_or(|after| it.id > after))
            .take(limit)
            .cloned()
            .collect()
    }
}
