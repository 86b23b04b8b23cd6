//! What callers ask of templates: making, forgetting, giving them to a provider for approval, and
//! bringing in what providers have. Providers are asked here, between operations, never inside one.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{ProjectKey, TemplateId};
use domain::model::audit::Actor;
use domain::model::channel::Channel;
use domain::model::content::PriceCategory;
use domain::model::sender::Sender;
use domain::model::template::{TemplateStatus, TemplateText};
use domain::rules::carry::by_simulators;
use domain::rules::template::{TemplateField, TemplateProblem, problems};
use ports::connector::Connector;
use ports::provider::{ProviderError, ProviderTemplate, TemplateRegistrar};
use ports::store::Unavailable;
use ports::store::templates::{
    ProviderLink, SyncEffect, Template, TemplateChange, TemplateOutcome,
};
use thiserror::Error;

use crate::Inner;
use crate::commit::stopped;
use crate::templates::{self, MAX_TEMPLATES};

/// Templates of a provider that are kept in one go.
const SYNC_PAGE: usize = 500;

/// Why a template was not made, or not given to a provider.
#[derive(Debug, Clone, Error)]
pub enum TemplateError {
    /// It does not exist.
    #[error("there is no such template")]
    NoSuchTemplate,
    /// A provider has it already, or had it.
    #[error("the template is {} at its provider", .0.code())]
    AlreadySubmitted(TemplateStatus),
    /// None of the sender's routes has a provider that takes templates.
    #[error("the sender has no WhatsApp account that takes templates")]
    NoAccount,
    /// Something of it cannot stand so.
    #[error("the template has mistakes")]
    Invalid(Vec<(TemplateField, TemplateProblem)>),
    /// There are as many as may be.
    #[error("there are {MAX_TEMPLATES} templates, which is the most")]
    TooMany,
    /// The provider did not take it.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The store did not (503).
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What bringing in the providers' templates did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncReport {
    /// Accounts that were read.
    pub accounts: u32,
    /// Templates that only the provider had.
    pub imported: u32,
    /// Templates of ours that were found there.
    pub linked: u32,
    /// Templates that something was new of.
    pub updated: u32,
    /// Templates that nothing was new of.
    pub skipped: u32,
    /// What went wrong, by account.
    pub errors: Vec<String>,
}

/// Makes a draft.
pub(crate) async fn create(
    inner: &Arc<Inner>,
    by: Option<&Actor>,
    project: ProjectKey,
    text: TemplateText,
) -> Result<Template, TemplateError> {
    let problems = problems(&text);
    if !problems.is_empty() {
        return Err(TemplateError::Invalid(problems));
    }
    if inner.templates.are_full() {
        return Err(TemplateError::TooMany);
    }
    let change = TemplateChange::Create(Box::new(text));
    done(kept(inner, by, project, change).await?)
}

/// Forgets a template here; at its provider it stays.
pub(crate) async fn delete(
    inner: &Arc<Inner>,
    by: Option<&Actor>,
    project: ProjectKey,
    id: TemplateId,
) -> Result<(), TemplateError> {
    match kept(inner, by, project, TemplateChange::Delete(id)).await? {
        TemplateOutcome::Gone(_) => Ok(()),
        TemplateOutcome::NoSuchTemplate
        | TemplateOutcome::Done(_)
        | TemplateOutcome::Synced(..) => Err(TemplateError::NoSuchTemplate),
    }
}

/// Gives a template to the provider of the sender's WhatsApp for approval, as `category` where the
/// caller says one.
pub(crate) async fn submit(
    inner: &Arc<Inner>,
    by: Option<&Actor>,
    id: TemplateId,
    sender: &Sender,
    category: Option<PriceCategory>,
    test: bool,
) -> Result<Template, TemplateError> {
    let template = inner
        .templates
        .get(sender.project, id)
        .ok_or(TemplateError::NoSuchTemplate)?;
    match template.status {
        TemplateStatus::Draft | TemplateStatus::Rejected => {}
        status @ (TemplateStatus::Pending
        | TemplateStatus::Approved
        | TemplateStatus::Paused
        | TemplateStatus::Disabled) => return Err(TemplateError::AlreadySubmitted(status)),
    }
    let mut text = template.text.clone();
    if let Some(category) = category {
        text.definition.category = category;
    }
    let problems = problems(&text);
    if !problems.is_empty() {
        return Err(TemplateError::Invalid(problems));
    }
    let connector = connectors(inner, Routes::Of(sender), test)
        .next()
        .ok_or(TemplateError::NoAccount)?;
    let registrar = connector.templates().ok_or(TemplateError::NoAccount)?;
    let submitted = registrar.submit(text.definition).await?;
    let change = TemplateChange::Submitted {
        id,
        provider: ProviderLink {
            account: registrar.account().into(),
            provider_id: submitted.provider_id,
        },
        status: submitted.status,
        category: submitted.category,
    };
    done(kept(inner, by, sender.project, change).await?)
}

/// Brings in what the providers have: of the sender's WhatsApp, or of every account of the project.
pub(crate) async fn sync(
    inner: &Arc<Inner>,
    by: Option<&Actor>,
    project: ProjectKey,
    sender: Option<&Sender>,
    test: bool,
) -> Result<SyncReport, TemplateError> {
    let routes = sender.map_or(Routes::All(project), Routes::Of);
    // Routes with the same account share its templates.
    let mut accounts = BTreeMap::new();
    for connector in connectors(inner, routes, test) {
        if let Some(registrar) = connector.templates() {
            let account = registrar.account().to_owned();
            accounts.entry(account).or_insert(connector);
        }
    }
    if accounts.is_empty() {
        return Err(TemplateError::NoAccount);
    }
    let mut report = SyncReport::default();
    for (account, connector) in accounts {
        let listed = match connector.templates().map(TemplateRegistrar::list) {
            Some(listed) => listed.await,
            None => continue,
        };
        match listed {
            Ok(theirs) => {
                report.accounts += 1;
                take_over(inner, by, (project, &account), theirs, &mut report).await?;
            }
            Err(error) => report.errors.push(format!("{account}: {error}")),
        }
    }
    Ok(report)
}

async fn take_over(
    inner: &Arc<Inner>,
    by: Option<&Actor>,
    (project, account): (ProjectKey, &str),
    theirs: Vec<ProviderTemplate>,
    report: &mut SyncReport,
) -> Result<(), TemplateError> {
    let mut theirs = theirs.into_iter().peekable();
    while theirs.peek().is_some() {
        if inner.templates.are_full() {
            report
                .errors
                .push(format!("{account}: {}", TemplateError::TooMany));
            return Ok(());
        }
        let page = theirs.by_ref().take(SYNC_PAGE);
        let answers: Vec<_> = page
            .map(|template| {
                let change = TemplateChange::Synced {
                    account: account.into(),
                    template: Box::new(template),
                };
                templates::change(inner, by, project, change)
            })
            .collect();
        for answer in answers {
            match answer.await.map_err(stopped)?? {
                TemplateOutcome::Synced(effect, _) => count(report, effect),
                TemplateOutcome::Done(_)
                | TemplateOutcome::Gone(_)
                | TemplateOutcome::NoSuchTemplate => {}
            }
        }
    }
    Ok(())
}

const fn count(report: &mut SyncReport, effect: SyncEffect) {
    match effect {
        SyncEffect::Imported => report.imported += 1,
        SyncEffect::Linked => report.linked += 1,
        SyncEffect::Updated => report.updated += 1,
        SyncEffect::Unchanged => report.skipped += 1,
    }
}

/// Whose connectors are asked.
#[derive(Clone, Copy)]
enum Routes<'a> {
    /// A sender's.
    Of(&'a Sender),
    /// The project's.
    All(ProjectKey),
}

/// The running connectors with templates, in the sender's order: a test key's are simulators, and a
/// live key's are not, unless there is nothing else (R-TEST).
fn connectors<'a>(
    inner: &'a Inner,
    routes: Routes<'a>,
    test: bool,
) -> impl Iterator<Item = Arc<dyn Connector>> + 'a {
    let keys: Vec<_> = match routes {
        Routes::Of(sender) => sender.routes.clone(),
        Routes::All(project) => {
            let topology = inner.topology();
            let own = topology.routes().filter(|it| it.project == project);
            own.map(|it| it.key).collect()
        }
    };
    let lines: Vec<_> = keys
        .iter()
        .filter_map(|it| inner.lines.get(it))
        .filter(|it| it.route.channel == Channel::WhatsApp)
        .collect();
    let simulators = by_simulators(test, lines.iter().map(|it| &*it.route));
    lines
        .into_iter()
        .filter(move |it| it.route.simulator == simulators)
        .filter_map(|it| it.connector())
        .filter(|it| it.templates().is_some())
}

async fn kept(
    inner: &Arc<Inner>,
    by: Option<&Actor>,
    project: ProjectKey,
    change: TemplateChange,
) -> Result<TemplateOutcome, TemplateError> {
    let answer = templates::change(inner, by, project, change).await;
    Ok(answer.map_err(stopped)??)
}

fn done(outcome: TemplateOutcome) -> Result<Template, TemplateError> {
    match outcome {
        TemplateOutcome::Done(template) => Ok(*template),
        TemplateOutcome::NoSuchTemplate
        | TemplateOutcome::Gone(_)
        | TemplateOutcome::Synced(..) => Err(TemplateError::NoSuchTemplate),
    }
}
