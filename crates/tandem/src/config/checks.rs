//! Do the parts of a configuration fit together?

use std::collections::{BTreeMap, BTreeSet};

use domain::model::channel::Channel;

use super::model::{Config, Project, Provider, Route, Sender};
use super::problem::Report;
use super::reader::{Field, Table, quoted, shortened};
use super::sender::Written;
use super::values;

/// The project that a route or sender names; the only one where it names none.
pub(super) fn project_of<'p>(
    table: &mut Table<'_>,
    projects: &'p [Project],
) -> Option<&'p Project> {
    let ids: Vec<&str> = projects.iter().map(|it| it.id.as_str()).collect();
    if let Some(field) = table.get("project") {
        let place = field.clone();
        let id = field.text()?;
        let found = projects.iter().find(|it| it.id == id);
        if found.is_none() && !projects.is_empty() {
            place.error(format!(
                "there is no project \"{}\"; there is {}",
                shortened(id),
                quoted(&ids)
            ));
        }
        return found;
    }
    match projects {
        [only] => Some(only),
        [] => None,
        [_, _, ..] => {
            let _missing = table.require("project", &format!("one of {}", quoted(&ids)));
            None
        }
    }
}

/// Tells every name that is used twice.
pub(super) fn unique<'f>(named: impl IntoIterator<Item = (String, Field<'f>)>, what: &str) {
    let mut seen = BTreeSet::new();
    for (name, place) in named {
        if !seen.insert(name.clone()) {
            let name = name.rsplit('/').next().unwrap_or_default();
            place.error(format!("there is another {what} with the id \"{name}\""));
        }
    }
}

/// Phones are told where to call.
pub(super) fn reachable_by_phones(config: &Config, report: &Report<'_>) {
    let is_pool = |it: &&Route| it.enabled && matches!(it.provider, Provider::SmsGate(_));
    if let Some(route) = config.routes.iter().find(is_pool)
        && config.public_url.is_none()
    {
        let what = format!(
            "is missing; the phones of the route {} have to be told where to call",
            route.id
        );
        report.error_outside("public_url", what);
    }
}

/// The database remembers for all projects alike how long a contact lacks a channel (R-CHAN-3).
pub(super) fn capability_memory(projects: &[Project], report: &Report<'_>) {
    let memories = projects.iter().map(|it| it.policy.capability_memory);
    if memories.collect::<BTreeSet<_>>().len() > 1 {
        report.error_outside(
            "project.capability_memory",
            "must be the same in every project; separate values are not yet supported".to_owned(),
        );
    }
}

/// Tells every key that is given twice, in whatever project: a key names its project.
pub(super) fn keys(projects: &[Project], report: &Report<'_>) {
    let mut seen = BTreeMap::new();
    for project in projects {
        for key in &project.api_keys {
            let name = format!("\"{}\" of project \"{}\"", key.name, project.id);
            if let Some(other) = seen.insert(key.key.clone(), name.clone()) {
                report.error_outside(
                    "project.api_keys",
                    format!("the keys {other} and {name} are the same"),
                );
            }
        }
    }
}

/// Ties senders to their routes, and gives each project one default sender.
pub(super) fn senders(
    written: Vec<Written<'_>>,
    routes: &[Route],
    route_ids: &BTreeSet<String>,
) -> Vec<Sender> {
    let mut senders: Vec<Sender> = Vec::with_capacity(written.len());
    for Written {
        mut sender,
        place,
        routes: names,
        is_default,
    } in written
    {
        for field in names {
            let name_place = field.clone();
            let Some(id) = field.text() else { continue };
            if let Some(what) = wrong_route(&sender, id, routes, route_ids) {
                name_place.error(what);
            } else if !sender.routes.iter().any(|it| it == id) {
                sender.routes.push(id.to_owned());
            } else {
                name_place.error(format!("\"{id}\" is named twice"));
            }
        }
        let is_used = |id: &String| routes.iter().any(|it| it.id == *id && it.enabled);
        if !sender.routes.is_empty() && !sender.routes.iter().any(is_used) {
            place.warn("all its routes are switched off: it can send nothing");
        }
        if let Some(field) = is_default
            && sender.is_default
            && senders
                .iter()
                .any(|it| it.is_default && it.project == sender.project)
        {
            field.error("another sender of the project is the default already");
        }
        senders.push(sender);
    }
    name_defaults(&mut senders);
    senders
}

/// The first sender of a project is its default where none says that it is.
fn name_defaults(senders: &mut [Sender]) {
    let told: BTreeSet<String> = senders
        .iter()
        .filter(|it| it.is_default)
        .map(|it| it.project.clone())
        .collect();
    let mut named = told;
    for sender in senders {
        if named.insert(sender.project.clone()) {
            sender.is_default = true;
        }
    }
}

fn wrong_route(
    sender: &Sender,
    id: &str,
    routes: &[Route],
    ids: &BTreeSet<String>,
) -> Option<String> {
    let known: Vec<&str> = ids.iter().map(String::as_str).collect();
    match routes.iter().find(|it| it.id == id) {
        Some(route) if route.project != sender.project => Some(format!(
            "the route \"{id}\" belongs to project \"{}\", this sender to \"{}\"",
            route.project, sender.project
        )),
        Some(_) => None,
        // The route is there, and its own mistakes are told where it stands.
        None if ids.contains(id) => None,
        None => {
            let hint = values::nearest(id, &known).map_or_else(
                || {
                    if known.is_empty() {
                        "there are none".to_owned()
                    } else {
                        format!("there is {}", quoted(&known))
                    }
                },
                |meant| format!("did you mean \"{meant}\"?"),
            );
            Some(format!("there is no route \"{}\"; {hint}", shortened(id)))
        }
    }
}

/// Most providers are told with each message where to call us, and some sign the URL that they call.
pub(super) fn callbacks(public_url: Option<&str>, routes: &[Route], report: &Report<'_>) {
    let called: Vec<&str> = routes
        .iter()
        .filter(|it| it.enabled && it.provider.calls_us())
        .map(|it| it.id.as_str())
        .collect();
    if public_url.is_none() && !called.is_empty() {
        let what = format!(
            "is not set: calls of the providers of the routes {} can be neither asked for nor verified; \
             receipts and inbound messages may not come",
            quoted(&called)
        );
        report.warn_outside("public_url", what);
    }
}

/// What is allowed, and probably not meant.
pub(super) fn worth_a_look(
    projects: &[(Project, Field<'_>)],
    routes: &[Route],
    senders: &[Sender],
) {
    for (project, place) in projects {
        let own = |route: &&Route| route.project == project.id && route.enabled;
        let simulated = routes
            .iter()
            .filter(own)
            .any(|it| matches!(it.provider, super::Provider::Simulator(_)));
        if project.api_keys.iter().any(|it| it.test) && !simulated {
            place.warn(
                "it has a test key and no simulator route: test messages will be refused (R-TEST)",
            );
        }
        if !senders.iter().any(|it| it.project == project.id) {
            place.warn("it has no sender: nothing can be sent");
        }
        for channel in Channel::ALL {
            let unused = routes
                .iter()
                .filter(own)
                .filter(|it| it.channel == channel)
                .filter(|route| {
                    !senders.iter().any(|sender| {
                        sender.project == project.id && sender.routes.contains(&route.id)
                    })
                });
            for route in unused {
                place.warn(format!("no sender uses the route \"{}\"", route.id));
            }
        }
    }
}
