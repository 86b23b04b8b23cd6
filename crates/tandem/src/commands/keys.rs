//! `tandem keys`: creates, lists and revokes API keys in the database.

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail, ensure};
use domain::ids::ApiKeyId;
use domain::time::Timestamp;
use ports::clock::{Clock, SystemClock};
use ports::store::operations::ApiKeyRecord;
use serde_json::{Value, json};

use crate::cli::{self, KeyAction};
use crate::client::text;
use crate::client::times::Zone;
use crate::config::{self, Config, Database, Overrides, Scope};
use crate::{keys, output, wiring};

/// Runs one action on the keys of one project.
pub(super) async fn run(args: cli::Keys) -> Result<ExitCode> {
    let overrides =
        Overrides::from_environment(&|name| std::env::var(name).ok()).database(args.database);
    let loaded = match &args.config {
        Some(file) => config::load(file, &overrides),
        None => config::without_file(&overrides),
    };
    let config = match loaded {
        Ok(loaded) => loaded.config,
        Err(rejected) => {
            let name = args
                .config
                .map_or_else(|| "settings".to_owned(), |it| it.display().to_string());
            return Ok(super::tell_rejected(&name, &rejected));
        }
    };
    let project_id = project_id(&config, args.project, args.config.is_some())?;
    ensure_database(&config, args.create_database)?;
    if let KeyAction::Create { name, .. } = &args.action {
        ensure!(
            !name.trim().is_empty(),
            "--name is empty: give the key a name by which people know it"
        );
    }
    let store = wiring::open_store(&config)?;
    let now = SystemClock.now();
    let project = keys::project_key(&*store, &project_id, now).await?;
    match args.action {
        KeyAction::Create { name, scopes, test } => {
            let mut scopes: Vec<Scope> = scopes.into_iter().map(Scope::from).collect();
            if scopes.is_empty() {
                scopes = vec![Scope::Send, Scope::Read];
            }
            let (secret, record) =
                keys::create(&*store, project, &name, &scopes, test, now).await?;
            if args.json {
                let mut shown = as_json(&record);
                shown["key"] = json!(secret.expose());
                output::line(text::pretty(&shown));
            } else {
                output::line(secret.expose());
                output::note(format_args!(
                    "{} of project {project_id}: {}. Shown once; keep it.",
                    record.id,
                    scope_words(record.scopes)
                ));
            }
        }
        KeyAction::List => {
            let records = store.api_keys(project).await?;
            if args.json {
                output::line(text::pretty(&records.iter().map(as_json).collect()));
            } else {
                if records.is_empty() {
                    output::note(
                        "no keys were made here; those of a configuration file stand there",
                    );
                    return Ok(ExitCode::SUCCESS);
                }
                let zone = Zone::asked(args.utc);
                let rows: Vec<Vec<String>> = records.iter().map(|it| row(it, &zone)).collect();
                for line in output::table(
                    &["ID", "NAME", "SCOPES", "KIND", "CREATED", "REVOKED"],
                    &rows,
                ) {
                    output::line(line);
                }
            }
        }
        KeyAction::Revoke { id } => {
            let id: ApiKeyId = id.parse().map_err(|_| {
                anyhow!("\"{id}\" is not the id of a key; `tandem keys list` shows them")
            })?;
            keys::revoke(&*store, project, id, now).await?;
            output::note(format_args!("{id} is revoked"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses where there is no database and none is to be made: in a wrong folder a key or a user would
/// be made that no server ever knows.
pub(super) fn ensure_database(config: &Config, create: bool) -> Result<()> {
    let Database::Sqlite(file) = &config.database;
    ensure!(
        create || file.exists(),
        "there is no database at {}: name the right one with --config or --database, or make it with --create",
        file.display()
    );
    Ok(())
}

/// The project that is meant. Without a file any name may be: the database knows its projects.
pub(super) fn project_id(
    config: &Config,
    asked: Option<String>,
    from_file: bool,
) -> Result<String> {
    let ids: Vec<&str> = config.projects.iter().map(|it| it.id.as_str()).collect();
    match (asked, ids.as_slice()) {
        (Some(id), _) if !from_file || ids.contains(&id.as_str()) => Ok(id),
        (Some(id), _) => bail!(
            "there is no project \"{id}\" in the file; there is {}",
            ids.join(", ")
        ),
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => bail!(
            "there are several projects: name one with --project ({})",
            ids.join(", ")
        ),
    }
}

fn scope_words(bits: u8) -> String {
    api::Scopes::from_bits(bits)
        .names()
        .collect::<Vec<_>>()
        .join(", ")
}

fn kind(record: &ApiKeyRecord) -> &'static str {
    if record.test { "test" } else { "live" }
}

fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map(|it| it.to_string())
        .unwrap_or_default()
}

fn row(record: &ApiKeyRecord, zone: &Zone) -> Vec<String> {
    vec![
        record.id.to_string(),
        text::one_line(&record.name),
        scope_words(record.scopes),
        kind(record).to_owned(),
        zone.date_time(&time(record.created_at)),
        record
            .revoked_at
            .map(|it| zone.date_time(&time(it)))
            .unwrap_or_default(),
    ]
}

fn as_json(record: &ApiKeyRecord) -> Value {
    json!({
        "id": record.id.to_string(),
        "name": record.name,
        "scopes": scope_words(record.scopes).split(", ").filter(|it| !it.is_empty()).collect::<Vec<_>>(),
        "test": record.test,
        "createdAt": time(record.created_at),
        "revokedAt": record.revoked_at.map(time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_told_in_words() {
        for (scopes, want) in [
            (vec![Scope::Send], "send"),
            (vec![Scope::Manage, Scope::Read], "read, manage"),
            (Scope::ALL.to_vec(), "send, read, manage"),
            (vec![], ""),
        ] {
            assert_eq!(scope_words(Scope::bits_of(&scopes)), want);
        }
    }
}
