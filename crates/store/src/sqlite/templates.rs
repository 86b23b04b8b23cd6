//! Templates: made, forgotten, and changed as providers say.

use domain::ids::{ProjectKey, TemplateId};
use domain::model::template::TemplateStanding;
use domain::time::Timestamp;
use ports::store::events;
use ports::store::templates::{
    self, ProviderLink, SyncEffect, Template, TemplateChange, TemplateFilter, TemplateOutcome,
};
use rusqlite::{Connection, Row, params};

use super::fault::Fault;
use super::lines::Line;
use super::loading::{coded, time};
use super::readers::Reader;
use crate::rows::codes::Coded;

const COLUMNS: &str =
    "SELECT id, project, account, provider_id, status, body, created_at, updated_at,
        content_sid, reason FROM template";

impl Line<'_> {
    /// See [`TemplateChange`].
    pub(super) fn change_template(
        &mut self,
        project: ProjectKey,
        change: &TemplateChange,
        at: Timestamp,
    ) -> Result<TemplateOutcome, Fault> {
        let db = self.connection;
        let changed = match change {
            TemplateChange::Create(text) => {
                let id = TemplateId::from_key(self.keys.next(at));
                let draft = Template::draft(id, project, (**text).clone(), at);
                keep(db, &draft)?;
                return Ok(TemplateOutcome::Done(Box::new(draft)));
            }
            TemplateChange::Delete(id) => {
                let gone = db.execute(
                    "DELETE FROM template WHERE project = ?1 AND id = ?2",
                    params![project.0, id.key()],
                )?;
                return Ok(if gone == 0 {
                    TemplateOutcome::NoSuchTemplate
                } else {
                    TemplateOutcome::Gone(*id)
                });
            }
            TemplateChange::Submitted {
                id,
                provider,
                status,
                category,
            } => one(db, project, *id)?.map(|mut it| {
                let was = it.standing();
                templates::submitted(&mut it, provider.clone(), *status, *category, at);
                (was, it)
            }),
            TemplateChange::Updated { account, update } => {
                let (id, name, language) = (&update.provider_id, &update.name, &update.language);
                meant(db, project, account, id, name, language)?.map(|mut it| {
                    let was = it.standing();
                    templates::updated(&mut it, account, update, at);
                    (was, it)
                })
            }
            TemplateChange::Synced { account, template } => {
                let definition = &template.definition;
                let (name, language) = (&definition.name, &definition.language);
                let id = &template.provider_id;
                let known = meant(db, project, account, id, name, language)?;
                let (effect, it) = if let Some(mut it) = known {
                    let was = it.standing();
                    let effect = templates::synced(&mut it, account, template, at);
                    if effect != SyncEffect::Unchanged {
                        self.keep_template(was, &it, at)?;
                    }
                    (effect, it)
                } else {
                    let id = TemplateId::from_key(self.keys.next(at));
                    let it = templates::imported(id, project, account, template, at);
                    keep(db, &it)?;
                    (SyncEffect::Imported, it)
                };
                return Ok(TemplateOutcome::Synced(effect, Box::new(it)));
            }
        };
        Ok(match changed {
            Some((was, template)) => {
                self.keep_template(was, &template, at)?;
                TemplateOutcome::Done(Box::new(template))
            }
            None => TemplateOutcome::NoSuchTemplate,
        })
    }

    /// Keeps a template that was changed, with the event that this brings.
    fn keep_template(
        &mut self,
        was: TemplateStanding,
        template: &Template,
        at: Timestamp,
    ) -> Result<(), Fault> {
        keep(self.connection, template)?;
        match events::of_template(was, template, at) {
            Some(event) => self.add_event(&event),
            None => Ok(()),
        }
    }
}

fn keep(db: &Connection, template: &Template) -> Result<(), Fault> {
    let (account, provider_id) = template
        .provider
        .as_ref()
        .map(|it| (&it.account, &it.provider_id))
        .unzip();
    let definition = &template.text.definition;
    db.prepare_cached(
        "INSERT OR REPLACE INTO template (id, project, name, language, account, provider_id, status,
             body, created_at, updated_at, content_sid, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        template.id.key(),
        template.project.0,
        definition.name,
        definition.language,
        account,
        provider_id,
        template.status.number(),
        serde_json::to_string(&template.text)?,
        template.created_at.as_millis(),
        template.updated_at.as_millis(),
        template.content_sid,
        template.reason,
    ])?;
    Ok(())
}

/// The template that a provider means.
fn meant(
    db: &Connection,
    project: ProjectKey,
    account: &str,
    provider_id: &str,
    name: &str,
    language: &str,
) -> Result<Option<Template>, Fault> {
    let sql = format!(
        "{COLUMNS} WHERE project = ?1 AND provider_id = ?2
         UNION ALL {COLUMNS} WHERE project = ?1 AND name = ?3 AND language = ?4"
    );
    let found = all(db, &sql, params![project.0, provider_id, name, language])?;
    let best = found
        .into_iter()
        .filter_map(|it| {
            let fit = templates::fits(&it, account, provider_id, name, language)?;
            Some(((fit, it.id), it))
        })
        .max_by_key(|it| it.0);
    Ok(best.map(|it| it.1))
}

fn one(db: &Connection, project: ProjectKey, id: TemplateId) -> Result<Option<Template>, Fault> {
    let sql = format!("{COLUMNS} WHERE project = ?1 AND id = ?2");
    Ok(all(db, &sql, params![project.0, id.key()])?.pop())
}

fn all(db: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Template>, Fault> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<Template, Fault> {
    let (account, provider_id): (Option<Box<str>>, Option<Box<str>>) = (row.get(2)?, row.get(3)?);
    let provider = account.zip(provider_id);
    let body: String = row.get(5)?;
    Ok(Template {
        id: TemplateId::from_key(row.get(0)?),
        project: ProjectKey(row.get(1)?),
        text: serde_json::from_str(&body)?,
        content_sid: row.get(8)?,
        status: coded(row, 4)?,
        provider: provider.map(|(account, provider_id)| ProviderLink {
            account,
            provider_id,
        }),
        reason: row.get(9)?,
        created_at: time(row, 6)?,
        updated_at: time(row, 7)?,
    })
}

impl Reader {
    pub(super) fn template(
        &self,
        project: ProjectKey,
        id: TemplateId,
    ) -> Result<Option<Template>, Fault> {
        one(&self.db, project, id)
    }

    pub(super) fn templates(&self, filter: TemplateFilter) -> Result<Vec<Template>, Fault> {
        let sql = format!("{COLUMNS} WHERE project = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
        let before = filter.before.map_or(i64::MAX, TemplateId::key);
        all(
            &self.db,
            &sql,
            params![filter.project.0, before, filter.limit],
        )
    }

    pub(super) fn all_templates(
        &self,
        after: Option<TemplateId>,
        limit: u16,
    ) -> Result<Vec<Template>, Fault> {
        let sql = format!("{COLUMNS} WHERE id > ?1 ORDER BY id LIMIT ?2");
        all(
            &self.db,
            &sql,
            params![after.map_or(0, TemplateId::key), limit],
        )
    }
}
