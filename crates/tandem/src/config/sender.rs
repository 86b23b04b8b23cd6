//! How is a `[[sender]]` read?

use domain::model::consent::KeywordPolicy;
use domain::model::sender::sender_address;
use domain::model::template::TemplateRef;
use domain::time::Millis;

use super::keywords;
use super::model::{Project, Sender};
use super::reader::{Field, Table};

/// Shortest time without `delivered` that may count as failure (R-API-6).
const FALLBACK_AFTER_MIN: Millis = Millis::seconds(10);
/// Longest time without `delivered` that may count as failure (R-API-6).
const FALLBACK_AFTER_MAX: Millis = Millis::seconds(86_400);
/// Settings of capabilities that are not built yet.
const LATER: [&str; 4] = ["alerts", "email", "webhook", "webhook_events"];

/// A sender as it is written, with the places that cross checks tell about.
pub(super) struct Written<'a> {
    /// The sender; its routes are empty, and `is_default` is what the file says, so far.
    pub(super) sender: Sender,
    /// The whole of it.
    pub(super) place: Field<'a>,
    /// The routes it names, in its order.
    pub(super) routes: Vec<Field<'a>>,
    /// Where it says whether it is the default.
    pub(super) is_default: Option<Field<'a>>,
}

/// Reads one sender of one of these projects; `None` when it has no usable id or project.
pub(super) fn read<'a>(place: Field<'a>, projects: &[Project]) -> Option<Written<'a>> {
    let mut table: Table<'a> = place.clone().table()?;
    let id = table
        .require("id", super::values::ID_WORDS)
        .and_then(Field::id);
    let name = table.get("name").and_then(Field::words);
    let project = super::checks::project_of(&mut table, projects);
    let phone_number = table.or("phone_number", String::new(), |field| {
        field.parse(
            "an international number (\"+40700000001\"), a short code of 3 to 8 digits, a name of up to 11 letters and digits, or empty",
            sender_address,
        )
    });
    let default_field = table.get("default");
    let is_default = default_field.clone().and_then(Field::flag).unwrap_or(false);
    let routes = table
        .require("routes", "a list of route ids")
        .and_then(Field::list);
    if routes.as_ref().is_some_and(Vec::is_empty) {
        table.error(
            "routes",
            "must name at least one route: the sender's channels follow from them",
        );
    }
    let fallback_after = table
        .get("fallback_after")
        .and_then(|field| field.span_of_time(FALLBACK_AFTER_MIN..=FALLBACK_AFTER_MAX));
    let keywords = table.or("keywords", KeywordPolicy::default(), keywords::read);
    let default_template = table.get("default_template").and_then(|field| {
        field.parse(
            "the id of a template (\"tpl_…\"), its name (\"order_update\"), or name and language (\"order_update/pt_BR\")",
            TemplateRef::parse,
        )
    });
    table.later(&LATER);
    table.finish();

    let id = id?;
    let sender = Sender {
        id: id.to_owned(),
        project: project?.id.clone(),
        name: name.unwrap_or(id).to_owned(),
        phone_number,
        is_default,
        routes: Vec::new(),
        fallback_after,
        keywords,
        default_template,
    };
    Some(Written {
        sender,
        place,
        routes: routes.unwrap_or_default(),
        is_default: default_field,
    })
}
