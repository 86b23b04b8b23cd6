//! Templates: made, listed, forgotten, and changed as providers say.

use domain::ids::{ProjectKey, TemplateId};
use domain::model::content::PriceCategory;
use domain::model::event::{EventDetail, EventKind};
use domain::model::template::{
    ButtonDefinition, ButtonKind, HeaderDefinition, HeaderKind, TemplateDefinition,
    TemplateStanding, TemplateStatus, TemplateText,
};

use super::events::everything;
use super::kit::*;
use crate::provider::{ProviderTemplate, TemplateUpdate};
use crate::store::templates::{
    ProviderLink, SyncEffect, Template, TemplateChange, TemplateFilter, TemplateOutcome,
};
use crate::store::{Op, Outcome, Store};

const ACCOUNT: &str = "waba-1";

fn change_in(
    store: &dyn Store,
    project: ProjectKey,
    change: TemplateChange,
    millis: i64,
) -> TemplateOutcome {
    let op = Op::Template {
        project,
        change: Box::new(change),
        at: at(millis),
    };
    match commit(store, op) {
        Outcome::Template(outcome) => outcome,
        other => panic!("not of a template: {other:?}"),
    }
}

fn change(store: &dyn Store, change: TemplateChange, millis: i64) -> TemplateOutcome {
    change_in(store, PROJECT, change, millis)
}

fn text(name: &str) -> TemplateText {
    TemplateText {
        definition: TemplateDefinition {
            name: name.into(),
            language: "en_US".into(),
            category: PriceCategory::Utility,
            header: Some(HeaderDefinition {
                kind: HeaderKind::Image,
                content: Some("https://a.example/x.png".into()),
            }),
            body: "Hi {{1}}".into(),
            footer: Some("Acme".into()),
            buttons: vec![ButtonDefinition {
                kind: ButtonKind::Url,
                text: Some("Track".into()),
                url: Some("https://a.example/{{1}}".into()),
                example: Some("https://a.example/1".into()),
                phone_number: None,
                otp_type: None,
                package_name: None,
                signature_hash: None,
            }],
            add_security_recommendation: true,
            code_expiration_minutes: Some(9),
        },
        variables: vec!["name".into()],
        sms_body: Some("Sms {{1}}".into()),
        telegram_body: Some("Tg".into()),
        instagram_body: Some("Ig".into()),
    }
}

fn create(store: &dyn Store, name: &str, millis: i64) -> Template {
    let create = TemplateChange::Create(Box::new(text(name)));
    done(change(store, create, millis))
}

fn done(outcome: TemplateOutcome) -> Template {
    match outcome {
        TemplateOutcome::Done(template) => *template,
        other => panic!("not done: {other:?}"),
    }
}

fn synced(store: &dyn Store, template: ProviderTemplate, millis: i64) -> (SyncEffect, Template) {
    let sync = TemplateChange::Synced {
        account: ACCOUNT.into(),
        template: Box::new(template),
    };
    match change(store, sync, millis) {
        TemplateOutcome::Synced(effect, template) => (effect, *template),
        other => panic!("not synced: {other:?}"),
    }
}

fn theirs(provider_id: &str, name: &str) -> ProviderTemplate {
    ProviderTemplate {
        provider_id: provider_id.into(),
        status: TemplateStatus::Approved,
        definition: text(name).definition,
    }
}

fn update(provider_id: &str, name: &str) -> TemplateUpdate {
    TemplateUpdate {
        provider_id: provider_id.into(),
        name: name.into(),
        language: "en_US".into(),
        status: Some(TemplateStatus::Paused),
        category: Some(PriceCategory::Marketing),
        reason: Some("quality".into()),
    }
}

fn updated(store: &dyn Store, account: &str, update: TemplateUpdate, ms: i64) -> TemplateOutcome {
    let updated = TemplateChange::Updated {
        account: account.into(),
        update: Box::new(update),
    };
    change(store, updated, ms)
}

/// Brings one event of a template.
pub fn move_one(store: &dyn Store) {
    let made = create(store, "moves", 100);
    submit(store, made.id, "99", 100);
}

fn submit(store: &dyn Store, id: TemplateId, provider_id: &str, millis: i64) -> TemplateOutcome {
    let submitted = TemplateChange::Submitted {
        id,
        provider: link(provider_id),
        status: TemplateStatus::Pending,
        category: PriceCategory::Marketing,
    };
    change(store, submitted, millis)
}

fn link(provider_id: &str) -> ProviderLink {
    ProviderLink {
        account: ACCOUNT.into(),
        provider_id: provider_id.into(),
    }
}

fn read(store: &dyn Store, id: TemplateId) -> Option<Template> {
    ask(store.template(PROJECT, id))
}

pub fn a_template_is_made_as_a_draft_and_read_back_whole(store: &dyn Store) {
    let made = create(store, "hello", 1);
    assert_eq!(made.status, TemplateStatus::Draft);
    assert_eq!((made.created_at, made.updated_at), (at(1), at(1)));
    assert_eq!(made.text, text("hello"));
    assert_eq!(made.provider, None);
    assert_eq!(read(store, made.id), Some(made.clone()));
    let again = create(store, "hello", 2);
    assert!(again.id > made.id, "the same name is another template");
}

pub fn templates_are_listed_newest_first_and_all_of_them_page_by_page(store: &dyn Store) {
    let ids: Vec<_> = (1..4)
        .map(|it| create(store, &format!("t{it}"), it).id)
        .collect();
    let create_elsewhere = TemplateChange::Create(Box::new(text("other")));
    let other = done(change_in(store, ProjectKey(2), create_elsewhere, 9));
    let list = |before, limit| {
        let filter = TemplateFilter {
            project: PROJECT,
            before,
            limit,
        };
        let found = ask(store.templates(filter));
        found.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(list(None, 100), [ids[2], ids[1], ids[0]]);
    assert_eq!(list(None, 2), [ids[2], ids[1]]);
    assert_eq!(list(Some(ids[1]), 2), [ids[0]]);
    let all = |after, limit| {
        let found = ask(store.all_templates(after, limit));
        found.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(all(None, 3), ids);
    assert_eq!(all(Some(ids[2]), 3), [other.id]);
}

pub fn a_template_is_its_projects_own(store: &dyn Store) {
    let made = create(store, "hello", 1);
    let other = ProjectKey(2);
    assert_eq!(ask(store.template(other, made.id)), None);
    let delete = || TemplateChange::Delete(made.id);
    let none = TemplateOutcome::NoSuchTemplate;
    assert_eq!(change_in(store, other, delete(), 2), none);
    let sync = TemplateChange::Synced {
        account: ACCOUNT.into(),
        template: Box::new(theirs("77", "hello")),
    };
    assert!(matches!(
        change_in(store, other, sync, 3),
        TemplateOutcome::Synced(SyncEffect::Imported, _)
    ));
    assert_eq!(read(store, made.id), Some(made));
}

pub fn a_template_is_forgotten_once(store: &dyn Store) {
    let made = create(store, "hello", 1);
    let delete = || TemplateChange::Delete(made.id);
    assert_eq!(change(store, delete(), 2), TemplateOutcome::Gone(made.id));
    assert_eq!(read(store, made.id), None);
    assert_eq!(change(store, delete(), 3), TemplateOutcome::NoSuchTemplate);
}

pub fn a_submitted_template_is_linked_and_stands_as_the_provider_says(store: &dyn Store) {
    let made = create(store, "hello", 1);
    let sent = done(submit(store, made.id, "77", 2));
    assert_eq!(sent.status, TemplateStatus::Pending);
    assert_eq!(sent.text.definition.category, PriceCategory::Marketing);
    assert_eq!(sent.provider, Some(link("77")));
    assert_eq!(sent.content_sid, None);
    assert_eq!((sent.created_at, sent.updated_at), (at(1), at(2)));
    assert_eq!(read(store, made.id), Some(sent));
    let nobody = TemplateId::from_key(5);
    let outcome = submit(store, nobody, "78", 3);
    assert_eq!(outcome, TemplateOutcome::NoSuchTemplate);
}

pub fn twilios_id_of_a_content_is_kept_as_such(store: &dyn Store) {
    let made = create(store, "hello", 1);
    let sid = "HX0123456789abcdef0123456789abcdef";
    let sent = done(submit(store, made.id, sid, 2));
    assert_eq!(sent.content_sid.as_deref(), Some(sid));
    assert_eq!(read(store, made.id), Some(sent));
}

pub fn a_providers_change_is_found_by_its_id_before_the_name(store: &dyn Store) {
    let linked = create(store, "hello", 1);
    submit(store, linked.id, "77", 2);
    let namesake = create(store, "hello", 3);
    let changed = done(updated(store, ACCOUNT, update("77", "hello"), 4));
    assert_eq!(changed.id, linked.id);
    assert_eq!(changed.status, TemplateStatus::Paused);
    assert_eq!(changed.text.definition.category, PriceCategory::Marketing);
    assert_eq!(changed.reason.as_deref(), Some("quality"));
    assert_eq!(changed.updated_at, at(4));
    assert_eq!(read(store, linked.id), Some(changed));
    assert_eq!(read(store, namesake.id), Some(namesake));
}

pub fn a_providers_change_is_found_by_name_where_no_other_account_has_it(store: &dyn Store) {
    let made = create(store, "hello", 1);
    let changed = done(updated(store, ACCOUNT, update("77", "hello"), 2));
    assert_eq!(changed.id, made.id);
    assert_eq!(changed.provider, Some(link("77")));
    // Made anew at the provider, under the same name.
    let anew = done(updated(store, ACCOUNT, update("78", "hello"), 3));
    assert_eq!((anew.id, anew.provider), (made.id, Some(link("78"))));
    for (account, name) in [("waba-2", "hello"), (ACCOUNT, "other")] {
        let outcome = updated(store, account, update("79", name), 4);
        assert_eq!(outcome, TemplateOutcome::NoSuchTemplate, "{account} {name}");
    }
}

pub fn of_namesakes_a_provider_means_the_newest(store: &dyn Store) {
    create(store, "hello", 1);
    let newest = create(store, "hello", 2);
    let changed = done(updated(store, ACCOUNT, update("77", "hello"), 3));
    assert_eq!(changed.id, newest.id);
}

pub fn a_change_that_changes_nothing_leaves_the_time(store: &dyn Store) {
    create(store, "hello", 1);
    let first = done(updated(store, ACCOUNT, update("77", "hello"), 2));
    let again = done(updated(store, ACCOUNT, update("77", "hello"), 3));
    assert_eq!(again, first);
    let approved = TemplateUpdate {
        status: Some(TemplateStatus::Approved),
        category: None,
        reason: None,
        ..update("77", "hello")
    };
    let approved = done(updated(store, ACCOUNT, approved, 4));
    assert_eq!(approved.reason, None, "a reason belongs to its status");
    assert_eq!(approved.text.definition.category, PriceCategory::Marketing);
}

pub fn a_sync_imports_links_updates_and_leaves(store: &dyn Store) {
    let made = create(store, "hello", 1);
    let (effect, linked) = synced(store, theirs("77", "hello"), 2);
    assert_eq!((effect, linked.id), (SyncEffect::Linked, made.id));
    assert_eq!(linked.status, TemplateStatus::Approved);
    assert_eq!(linked.provider, Some(link("77")));

    let (effect, imported) = synced(store, theirs("78", "other"), 3);
    assert_eq!(effect, SyncEffect::Imported);
    assert_eq!(imported.text.definition, text("other").definition);
    assert_eq!(imported.text.sms_body, None);
    assert_eq!(imported.status, TemplateStatus::Approved);
    assert_eq!(read(store, imported.id), Some(imported.clone()));

    let (effect, unchanged) = synced(store, theirs("78", "other"), 4);
    assert_eq!((effect, unchanged), (SyncEffect::Unchanged, imported));

    let mut new = theirs("78", "other");
    new.definition.body = "Hello {{1}}".into();
    let (effect, changed) = synced(store, new, 5);
    assert_eq!(effect, SyncEffect::Updated);
    assert_eq!(&*changed.text.definition.body, "Hello {{1}}");
    assert_eq!(changed.updated_at, at(5));
    assert_eq!(read(store, changed.id), Some(changed));
}

pub fn a_sync_keeps_what_the_provider_does_not_have(store: &dyn Store) {
    create(store, "hello", 1);
    let mut new = theirs("77", "hello");
    new.definition.body = "".into();
    new.definition.header = Some(HeaderDefinition {
        kind: HeaderKind::Image,
        content: Some("https://provider.example/sample".into()),
    });
    let (_, linked) = synced(store, new, 2);
    assert_eq!(linked.text, text("hello"));
}

pub fn a_template_that_moves_brings_an_event_and_any_other_change_none(store: &dyn Store) {
    use PriceCategory::{Marketing, Utility};
    use TemplateStatus::{Approved, Draft, Paused, Pending};
    let made = create(store, "hello", 1);
    submit(store, made.id, "77", 2);
    updated(store, ACCOUNT, update("77", "hello"), 3);
    let repeated = update("77", "hello");
    updated(store, ACCOUNT, repeated, 4);
    synced(store, theirs("77", "hello"), 5);
    // The text alone is new; then one that only the provider had; then one that is gone.
    let mut reworded = theirs("77", "hello");
    reworded.definition.body = "Hello {{1}}".into();
    synced(store, reworded, 6);
    synced(store, theirs("78", "other"), 7);
    change(store, TemplateChange::Delete(made.id), 8);
    let events = ask(store.events(everything())).events;
    let stood = |status, category| TemplateStanding { status, category };
    let want = [
        (2, stood(Draft, Utility), stood(Pending, Marketing), None),
        (
            3,
            stood(Pending, Marketing),
            stood(Paused, Marketing),
            Some("quality"),
        ),
        (5, stood(Paused, Marketing), stood(Approved, Utility), None),
    ];
    assert_eq!(events.len(), want.len(), "{events:?}");
    for (record, (millis, was, now, reason)) in events.iter().zip(want) {
        let event = &record.event;
        assert_eq!(
            (event.project, event.sender, event.message),
            (PROJECT, None, None)
        );
        assert_eq!(
            (event.kind, event.at),
            (EventKind::TemplateMoved, at(millis))
        );
        let Some(EventDetail::Template(moved)) = &event.detail else {
            panic!("{event:?}")
        };
        assert_eq!(
            (moved.template, &*moved.name, &*moved.language),
            (made.id, "hello", "en_US")
        );
        assert_eq!(
            (moved.was, moved.now, moved.reason.as_deref()),
            (was, now, reason)
        );
    }
}
