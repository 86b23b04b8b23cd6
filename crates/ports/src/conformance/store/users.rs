//! [`Op::User`] and what is asked of users (R-SEC).

use domain::ids::{ProjectKey, SessionId, UserId};
use domain::model::user::{PasswordHash, Role};
use domain::time::Millis;

use super::kit::*;
use crate::store::users::{
    MAX_SESSIONS, MAX_SUBSCRIPTIONS, PushKey, PushSubscription, SessionRecord, UserChange,
    UserEdit, UserOutcome, UserRecord,
};
use crate::store::{Op, Outcome, Store};

const OTHER: ProjectKey = ProjectKey(2);

fn id(key: i64) -> UserId {
    UserId::from_key(key)
}

fn user(key: i64, role: Role) -> UserRecord {
    UserRecord {
        id: id(key),
        project: PROJECT,
        email: format!("user{key}@example.com").into(),
        name: format!("User {key}").into(),
        role,
        password: None,
        created_at: at(key),
        updated_at: at(key),
        disabled_at: None,
    }
}

fn hash(byte: i64) -> [u8; 32] {
    [u8::try_from(byte).unwrap(); 32]
}

/// A session that lasts a second unused and ten altogether.
fn session(key: i64, of: i64, from: i64) -> SessionRecord {
    SessionRecord {
        id: SessionId::from_key(key),
        hash: hash(key),
        user: id(of),
        created_at: at(from),
        seen_at: at(from),
        expires_at: at(from + 10_000),
        idle: Millis::seconds(1),
        agent: "Firefox".into(),
    }
}

fn subscription(name: &str, session: i64, of: i64, from: i64) -> PushSubscription {
    PushSubscription {
        endpoint: format!("https://push.example/{name}").into(),
        user: id(of),
        session: SessionId::from_key(session),
        p256dh: "key".into(),
        auth: "secret".into(),
        created_at: at(from),
    }
}

fn apply(store: &dyn Store, change: UserChange) -> Outcome {
    commit(store, Op::User(Box::new(change)))
}

fn done(store: &dyn Store, change: UserChange) {
    let outcome = apply(store, change);
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
}

fn missing(store: &dyn Store, change: UserChange) {
    let outcome = apply(store, change);
    assert!(matches!(outcome, Outcome::Missing), "{outcome:?}");
}

fn last_owner(store: &dyn Store, change: UserChange) {
    let outcome = apply(store, change);
    let want = UserOutcome::LastOwner;
    assert!(
        matches!(&outcome, Outcome::User(it) if *it == want),
        "{outcome:?}"
    );
}

fn edit(key: i64) -> UserEdit {
    UserEdit {
        project: PROJECT,
        id: id(key),
        name: None,
        role: None,
        is_disabled: None,
        at: at(100),
    }
}

fn password(text: &str) -> PasswordHash {
    PasswordHash::new(text)
}

fn session_ids(store: &dyn Store, of: i64) -> Vec<i64> {
    let sessions = ask(store.sessions(id(of)));
    sessions.iter().map(|it| it.id.key()).collect()
}

fn endpoints(store: &dyn Store, user: Option<i64>, now: i64) -> Vec<String> {
    let found = ask(store.push_subscriptions(PROJECT, user.map(id), at(now)));
    let name = |it: &PushSubscription| it.endpoint.rsplit('/').next().unwrap().to_owned();
    found.iter().map(name).collect()
}

pub fn a_user_is_kept_read_back_and_listed_in_the_project(store: &dyn Store) {
    let stranger = UserRecord {
        project: OTHER,
        password: Some(password("$x")),
        ..user(3, Role::Agent)
    };
    for it in [user(2, Role::Admin), user(1, Role::Owner), stranger.clone()] {
        done(store, UserChange::Create(it));
    }
    assert_eq!(ask(store.user(id(1))), Some(user(1, Role::Owner)));
    assert_eq!(ask(store.user(id(9))), None);
    let found = ask(store.user_by_email("user3@example.com"));
    assert_eq!(found, Some(stranger.clone()));
    assert_eq!(ask(store.user_by_email("nobody@example.com")), None);
    let want = [user(1, Role::Owner), user(2, Role::Admin)];
    assert_eq!(ask(store.users(PROJECT)), want);
    assert_eq!(ask(store.users(OTHER)), [stranger]);
}

pub fn an_address_is_one_users_in_all_projects(store: &dyn Store) {
    done(store, UserChange::Create(user(1, Role::Owner)));
    let again = UserRecord {
        project: OTHER,
        email: user(1, Role::Owner).email,
        ..user(2, Role::Agent)
    };
    let outcome = apply(store, UserChange::Create(again));
    assert!(
        matches!(outcome, Outcome::User(UserOutcome::EmailTaken)),
        "{outcome:?}"
    );
    assert_eq!(ask(store.user(id(2))), None);
}

pub fn an_edit_changes_what_is_given(store: &dyn Store) {
    done(store, UserChange::Create(user(1, Role::Owner)));
    done(store, UserChange::Create(user(2, Role::Agent)));
    let change = UserEdit {
        name: Some("Ana".into()),
        role: Some(Role::Admin),
        ..edit(2)
    };
    done(store, UserChange::Edit(change));
    let found = ask(store.user(id(2))).unwrap();
    assert_eq!((&*found.name, found.role), ("Ana", Role::Admin));
    assert_eq!((found.created_at, found.updated_at), (at(2), at(100)));
    let strange = UserEdit {
        project: OTHER,
        ..edit(2)
    };
    missing(store, UserChange::Edit(strange));
    missing(store, UserChange::Edit(edit(9)));
}

pub fn who_is_disabled_is_signed_out_and_cannot_sign_in(store: &dyn Store) {
    done(store, UserChange::Create(user(1, Role::Owner)));
    done(store, UserChange::Create(user(2, Role::Agent)));
    done(store, UserChange::SignIn(session(1, 2, 0)));
    done(store, UserChange::Subscribe(subscription("a", 1, 2, 0)));
    let link = |of| UserChange::Link {
        project: PROJECT,
        user: id(of),
        hash: hash(7),
        expires_at: at(1_000),
    };
    done(store, link(2));
    let disabled = |is| UserEdit {
        is_disabled: Some(is),
        ..edit(2)
    };
    done(store, UserChange::Edit(disabled(true)));
    let found = ask(store.user(id(2))).unwrap();
    assert_eq!(found.disabled_at, Some(at(100)));
    assert_eq!(session_ids(store, 2), [0_i64; 0]);
    assert_eq!(endpoints(store, None, 1), [""; 0]);
    assert_eq!(ask(store.password_link(hash(7))), None);
    missing(store, UserChange::SignIn(session(2, 2, 0)));
    done(store, link(2));
    let used = UserChange::UseLink {
        project: PROJECT,
        hash: hash(7),
        password: password("$x"),
        at: at(200),
    };
    missing(store, used);
    done(store, UserChange::Edit(disabled(false)));
    done(store, UserChange::SignIn(session(2, 2, 0)));
}

pub fn a_project_keeps_an_owner_who_can_sign_in(store: &dyn Store) {
    for it in [
        user(1, Role::Owner),
        user(2, Role::Owner),
        user(3, Role::Admin),
    ] {
        done(store, UserChange::Create(it));
    }
    let elsewhere = UserRecord {
        project: OTHER,
        ..user(4, Role::Owner)
    };
    done(store, UserChange::Create(elsewhere));
    let disabled = UserEdit {
        is_disabled: Some(true),
        ..edit(2)
    };
    done(store, UserChange::Edit(disabled));
    let demoted = UserEdit {
        role: Some(Role::Admin),
        ..edit(1)
    };
    let gone = UserEdit {
        is_disabled: Some(true),
        ..edit(1)
    };
    let deleted = |key| UserChange::Delete {
        project: PROJECT,
        id: id(key),
    };
    last_owner(store, UserChange::Edit(demoted.clone()));
    last_owner(store, UserChange::Edit(gone));
    last_owner(store, deleted(1));
    assert_eq!(ask(store.user(id(1))), Some(user(1, Role::Owner)));
    let promoted = UserEdit {
        role: Some(Role::Owner),
        ..edit(3)
    };
    done(store, UserChange::Edit(promoted));
    done(store, UserChange::Edit(demoted));
    done(store, deleted(1));
    missing(store, deleted(1));
    missing(store, deleted(4));
    assert_eq!(ask(store.users(PROJECT)).len(), 2);
}

pub fn who_is_deleted_leaves_nothing(store: &dyn Store) {
    done(store, UserChange::Create(user(1, Role::Owner)));
    done(store, UserChange::Create(user(2, Role::Agent)));
    done(store, UserChange::SignIn(session(1, 2, 0)));
    done(store, UserChange::Subscribe(subscription("a", 1, 2, 0)));
    let deleted = UserChange::Delete {
        project: PROJECT,
        id: id(2),
    };
    done(store, deleted);
    assert_eq!(ask(store.session(hash(1))), None);
    assert_eq!(endpoints(store, None, 1), [""; 0]);
    done(store, UserChange::Create(user(2, Role::Agent)));
}

pub fn a_session_is_found_with_its_user_and_its_use_moves_it_forward(store: &dyn Store) {
    done(store, UserChange::Create(user(1, Role::Owner)));
    done(store, UserChange::SignIn(session(1, 1, 0)));
    done(store, UserChange::SignIn(session(2, 1, 5)));
    missing(store, UserChange::SignIn(session(3, 9, 5)));
    let found = ask(store.session(hash(1)));
    assert_eq!(found, Some((session(1, 1, 0), user(1, Role::Owner))));
    assert_eq!(ask(store.session(hash(9))), None);
    assert_eq!(session_ids(store, 1), [2, 1]);
    let seen = |session, millis| UserChange::Seen {
        session: SessionId::from_key(session),
        at: at(millis),
    };
    done(store, seen(1, 50));
    done(store, seen(1, 40));
    missing(store, seen(9, 40));
    let (found, _) = ask(store.session(hash(1))).unwrap();
    assert_eq!((found.seen_at, found.ends_at()), (at(50), at(1_050)));
    assert_eq!(session_ids(store, 1), [1, 2]);
}

pub fn signing_in_forgets_what_is_over_and_what_is_too_much(store: &dyn Store) {
    done(store, UserChange::Create(user(1, Role::Owner)));
    done(store, UserChange::Create(user(2, Role::Agent)));
    done(store, UserChange::SignIn(session(1, 2, 0)));
    done(store, UserChange::SignIn(session(2, 2, 1)));
    done(store, UserChange::SignIn(session(3, 1, 1_000)));
    assert_eq!(session_ids(store, 2), [2], "over to the millisecond");
    let count = i64::try_from(MAX_SESSIONS).unwrap();
    for nth in 0..count {
        done(store, UserChange::SignIn(session(10 + nth, 1, 1_001)));
    }
    let left = session_ids(store, 1);
    assert_eq!(left.len(), MAX_SESSIONS);
    assert!(!left.contains(&3), "the one used longest ago is gone");
}

pub fn a_session_is_ended_by_its_user_only(store: &dyn Store) {
    done(store, UserChange::Create(user(1, Role::Owner)));
    done(store, UserChange::Create(user(2, Role::Agent)));
    done(store, UserChange::SignIn(session(1, 1, 0)));
    done(store, UserChange::Subscribe(subscription("a", 1, 1, 0)));
    let out = |of| UserChange::SignOut {
        user: id(of),
        session: SessionId::from_key(1),
    };
    missing(store, out(2));
    assert_eq!(endpoints(store, None, 1), ["a"]);
    done(store, out(1));
    missing(store, out(1));
    assert_eq!(endpoints(store, None, 1), [""; 0]);
}

pub fn a_new_password_ends_the_other_sessions_and_the_link(store: &dyn Store) {
    done(store, UserChange::Create(user(1, Role::Owner)));
    for key in [1, 2, 3] {
        done(store, UserChange::SignIn(session(key, 1, key)));
    }
    let link = UserChange::Link {
        project: PROJECT,
        user: id(1),
        hash: hash(7),
        expires_at: at(1_000),
    };
    done(store, link);
    let set = |of| UserChange::Password {
        project: PROJECT,
        user: id(of),
        password: password("$new"),
        keep: Some(SessionId::from_key(2)),
        at: at(50),
    };
    done(store, set(1));
    missing(store, set(9));
    let found = ask(store.user(id(1))).unwrap();
    assert_eq!(found.password, Some(password("$new")));
    assert_eq!(found.updated_at, at(50));
    assert_eq!(session_ids(store, 1), [2]);
    assert_eq!(ask(store.password_link(hash(7))), None);
}

pub fn a_link_works_once_in_its_time_and_only_the_newest(store: &dyn Store) {
    done(store, UserChange::Create(user(1, Role::Owner)));
    done(store, UserChange::SignIn(session(1, 1, 0)));
    let link = |of, byte| UserChange::Link {
        project: PROJECT,
        user: id(of),
        hash: hash(byte),
        expires_at: at(1_000),
    };
    let using = |byte, millis| UserChange::UseLink {
        project: PROJECT,
        hash: hash(byte),
        password: password("$chosen"),
        at: at(millis),
    };
    missing(store, link(9, 6));
    done(store, link(1, 6));
    done(store, link(1, 7));
    missing(store, using(6, 10));
    missing(store, using(7, 1_000));
    let found = ask(store.password_link(hash(7)));
    assert_eq!(found, Some((user(1, Role::Owner), at(1_000))));
    let outcome = apply(store, using(7, 999));
    assert!(
        matches!(outcome, Outcome::User(UserOutcome::LinkUsed(it)) if it == id(1)),
        "{outcome:?}"
    );
    let found = ask(store.user(id(1))).unwrap();
    assert_eq!(found.password, Some(password("$chosen")));
    assert_eq!(session_ids(store, 1), [0_i64; 0]);
    missing(store, using(7, 999));
}

pub fn the_first_key_of_pushes_stays(store: &dyn Store) {
    assert_eq!(ask(store.push_key()), None);
    for text in ["first", "second"] {
        let key = PushKey {
            private: text.into(),
        };
        done(store, UserChange::PushKey(key));
    }
    assert_eq!(&*ask(store.push_key()).unwrap().private, "first");
}

pub fn subscriptions_are_those_of_sessions_that_are_not_over(store: &dyn Store) {
    for key in [1, 2] {
        done(store, UserChange::Create(user(key, Role::Owner)));
        done(store, UserChange::SignIn(session(key, key, key)));
    }
    let subscribe = |name: &str, session, of, from| {
        UserChange::Subscribe(subscription(name, session, of, from))
    };
    done(store, subscribe("b", 1, 1, 20));
    done(store, subscribe("a", 1, 1, 10));
    done(store, subscribe("c", 2, 2, 30));
    missing(store, subscribe("d", 9, 1, 1));
    missing(store, subscribe("d", 2, 1, 1));
    assert_eq!(endpoints(store, None, 40), ["a", "b", "c"]);
    assert_eq!(endpoints(store, Some(1), 40), ["a", "b"]);
    assert_eq!(endpoints(store, None, 1_001), ["c"], "the first is over");
    let found = ask(store.push_subscriptions(OTHER, None, at(40)));
    assert_eq!(found, []);
    // The browser that was the first's is the second's now.
    done(store, subscribe("a", 2, 2, 40));
    assert_eq!(endpoints(store, Some(2), 40), ["c", "a"]);
    let gone = |user: Option<i64>| UserChange::Unsubscribe {
        user: user.map(id),
        endpoint: "https://push.example/a".into(),
    };
    missing(store, gone(Some(1)));
    done(store, gone(Some(2)));
    missing(store, gone(None));
    let count = i64::try_from(MAX_SUBSCRIPTIONS).unwrap();
    for nth in 0..count {
        let name = format!("n{nth}");
        done(store, subscribe(&name, 1, 1, 50 + nth));
    }
    let left = endpoints(store, Some(1), 40);
    assert_eq!(left.len(), MAX_SUBSCRIPTIONS);
    assert!(!left.contains(&"b".to_owned()), "{left:?}");
}
