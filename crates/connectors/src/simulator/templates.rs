//! The simulated provider's templates: taken at once, and looked at a moment later. What it then says
//! hangs on the end of the name, so that each answer can be tried; see `docs/reference/simulator.md`.

use domain::model::content::PriceCategory;
use domain::model::template::{TemplateDefinition, TemplateStatus};
use domain::time::Millis;
use parking_lot::Mutex;
use ports::provider::{ProviderTemplate, SubmittedTemplate, TemplateUpdate};

/// How long the simulated provider looks at a template.
pub(super) const REVIEW: Millis = Millis::seconds(1);
/// Templates that it keeps; beyond, the oldest is forgotten.
const KEPT: usize = 1_000;

/// What it has, and what it has still to look at.
#[derive(Default)]
pub(super) struct Templates {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    no: u64,
    kept: Vec<ProviderTemplate>,
    to_review: Vec<TemplateUpdate>,
}

impl Templates {
    /// Takes a template.
    pub(super) fn submit(&self, definition: TemplateDefinition) -> SubmittedTemplate {
        let mut state = self.state.lock();
        state.no += 1;
        let taken = SubmittedTemplate {
            provider_id: format!("sim-tpl-{}", state.no).into(),
            status: TemplateStatus::Pending,
            category: definition.category,
        };
        let update = review(&taken, &definition);
        state.to_review.push(update);
        if state.kept.len() == KEPT {
            state.kept.remove(0);
        }
        state.kept.push(ProviderTemplate {
            provider_id: taken.provider_id.clone(),
            status: taken.status,
            definition,
        });
        taken
    }

    /// All that it has.
    pub(super) fn list(&self) -> Vec<ProviderTemplate> {
        self.state.lock().kept.clone()
    }

    /// What it will say of those that came since the last call.
    pub(super) fn to_review(&self) -> Vec<TemplateUpdate> {
        std::mem::take(&mut self.state.lock().to_review)
    }

    /// Notes what it says, when it says it.
    pub(super) fn decided(&self, update: &TemplateUpdate) {
        let mut state = self.state.lock();
        let mut kept = state.kept.iter_mut();
        if let Some(template) = kept.find(|it| it.provider_id == update.provider_id) {
            template.status = update.status.unwrap_or(template.status);
            let definition = &mut template.definition;
            definition.category = update.category.unwrap_or(definition.category);
        }
    }
}

fn review(taken: &SubmittedTemplate, definition: &TemplateDefinition) -> TemplateUpdate {
    let ends = |word: &str| definition.name.ends_with(word);
    let (status, reason) = if ends("_rejected") {
        (TemplateStatus::Rejected, Some("INVALID_FORMAT"))
    } else if ends("_paused") {
        (TemplateStatus::Paused, Some("FIRST_PAUSE"))
    } else {
        (TemplateStatus::Approved, None)
    };
    TemplateUpdate {
        provider_id: taken.provider_id.clone(),
        name: definition.name.clone(),
        language: definition.language.clone(),
        status: Some(status),
        category: ends("_marketing").then_some(PriceCategory::Marketing),
        reason: reason.map(Into::into),
    }
}
