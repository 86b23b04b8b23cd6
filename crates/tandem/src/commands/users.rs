//! `tandem users`: adds, lists and locks out people who use the pages. The first owner is made here.

use std::process::ExitCode;

use anyhow::{Context, Result};
use domain::model::user;
use ports::clock::{Clock, SystemClock};
use ports::store::users::UserRecord;
use serde_json::{Value, json};

use crate::cli::{self, UserAction};
use crate::client::text;
use crate::config::{self, Config, Overrides};
use crate::{keys, output, users, wiring};

/// Runs one action on the users of one project.
pub(super) async fn run(args: cli::Users) -> Result<ExitCode> {
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
    let project_id = super::keys::project_id(&config, args.project, args.config.is_some())?;
    super::keys::ensure_database(&config, args.create_database)?;
    let store = wiring::open_store(&config)?;
    let now = SystemClock.now();
    let project = keys::project_key(&*store, &project_id, now).await?;
    let base = args.url.unwrap_or_else(|| base(&config));
    match args.action {
        UserAction::Add { email, role, name } => {
            let email = user::email(&email).context("--email must be an e-mail address")?;
            let name = name.unwrap_or_else(|| name_in(&email));
            let user = users::add(&*store, project, email, &name, role.into(), now).await?;
            let link = users::link(&*store, &user, &base, now).await?;
            tell_link(&user, &link, args.json);
        }
        UserAction::Reset { email } => {
            let user = users::find(&*store, project, &email).await?;
            let link = users::link(&*store, &user, &base, now).await?;
            tell_link(&user, &link, args.json);
        }
        UserAction::List => {
            let found = store.users(project).await?;
            if args.json {
                output::line(text::pretty(&found.iter().map(as_json).collect()));
            } else {
                if found.is_empty() {
                    output::note("no users; `tandem users add` adds one");
                    return Ok(ExitCode::SUCCESS);
                }
                let rows: Vec<Vec<String>> = found.iter().map(row).collect();
                for line in output::table(&["E-MAIL", "NAME", "ROLE", "STATE"], &rows) {
                    output::line(line);
                }
            }
        }
        UserAction::Disable { email } => {
            let user = users::find(&*store, project, &email).await?;
            users::disable(&*store, &user, true, now).await?;
            output::note(format_args!(
                "{} is signed out and cannot sign in",
                user.email
            ));
        }
        UserAction::Enable { email } => {
            let user = users::find(&*store, project, &email).await?;
            users::disable(&*store, &user, false, now).await?;
            output::note(format_args!("{} can sign in again", user.email));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How the pages are reached, where nobody said it on the command line.
fn base(config: &Config) -> String {
    let public = config.public_url.clone();
    public.unwrap_or_else(|| format!("http://{}", config.listen))
}

/// What somebody is called of whom only the address is known.
fn name_in(email: &str) -> String {
    email.split('@').next().unwrap_or(email).to_owned()
}

fn tell_link(user: &UserRecord, link: &str, as_json: bool) {
    if as_json {
        let mut shown = self::as_json(user);
        shown["link"] = json!(link);
        output::line(text::pretty(&shown));
    } else {
        output::line(link);
        output::note(format_args!(
            "With this link {} ({}) chooses a password. It works once, within 3 days.",
            user.email,
            user.role.code()
        ));
    }
}

/// Whether somebody can sign in.
fn state(user: &UserRecord) -> &'static str {
    match (user.disabled_at, &user.password) {
        (Some(_), _) => "disabled",
        (None, Some(_)) => "active",
        (None, None) => "has no password yet",
    }
}

fn row(user: &UserRecord) -> Vec<String> {
    vec![
        user.email.to_string(),
        text::one_line(&user.name),
        user.role.code().to_owned(),
        state(user).to_owned(),
    ]
}

fn as_json(user: &UserRecord) -> Value {
    json!({
        "id": user.id.to_string(),
        "email": user.email,
        "name": user.name,
        "role": user.role.code(),
        "state": state(user),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_name_is_called_by_the_address() {
        assert_eq!(name_in("ana.pop@example.com"), "ana.pop");
    }
}
