//! Users, their sessions and subscriptions in plain maps.

use std::collections::BTreeMap;

use domain::ids::{ProjectKey, SessionId, UserId};
use domain::model::user::{PasswordHash, Role};
use domain::time::Timestamp;

use super::MemoryStore;
use crate::store::users::{
    MAX_SESSIONS, MAX_SUBSCRIPTIONS, PushKey, PushSubscription, SessionRecord, UserChange,
    UserEdit, UserOutcome, UserQueries, UserRecord,
};
use crate::store::{Answer, Outcome};

/// Everything about users.
#[derive(Debug, Default)]
pub(super) struct Users {
    people: BTreeMap<UserId, UserRecord>,
    sessions: BTreeMap<SessionId, SessionRecord>,
    links: BTreeMap<UserId, ([u8; 32], Timestamp)>,
    push_key: Option<PushKey>,
    subscriptions: BTreeMap<Box<str>, PushSubscription>,
}

impl Users {
    pub(super) fn change(&mut self, change: &UserChange) -> Outcome {
        match change {
            UserChange::Create(user) => self.create(user),
            UserChange::Edit(edit) => self.edit(edit),
            UserChange::Delete { project, id } => self.delete(*project, *id),
            UserChange::Password {
                user,
                password,
                keep,
                at,
                ..
            } => self.set_password(*user, password, *keep, *at),
            UserChange::Link {
                user,
                hash,
                expires_at,
                ..
            } => {
                if !self.people.contains_key(user) {
                    return Outcome::Missing;
                }
                self.links.insert(*user, (*hash, *expires_at));
                Outcome::Done
            }
            UserChange::UseLink {
                hash, password, at, ..
            } => {
                let Some((user, until)) = self.link(hash) else {
                    return Outcome::Missing;
                };
                if *at >= until || user.disabled_at.is_some() {
                    return Outcome::Missing;
                }
                self.set_password(user.id, password, None, *at);
                Outcome::User(UserOutcome::LinkUsed(user.id))
            }
            UserChange::SignIn(session) => self.sign_in(session),
            UserChange::Seen { session, at } => match self.sessions.get_mut(session) {
                Some(session) => {
                    session.seen_at = session.seen_at.max(*at);
                    Outcome::Done
                }
                None => Outcome::Missing,
            },
            UserChange::SignOut { user, session } => {
                match self.sessions.get(session).filter(|it| it.user == *user) {
                    Some(_) => {
                        self.end_sessions(|it| it.id == *session);
                        Outcome::Done
                    }
                    None => Outcome::Missing,
                }
            }
            UserChange::PushKey(key) => {
                self.push_key.get_or_insert_with(|| key.clone());
                Outcome::Done
            }
            UserChange::Subscribe(subscription) => self.subscribe(subscription),
            UserChange::Unsubscribe { user, endpoint } => {
                let is_theirs = |it: &PushSubscription| user.is_none_or(|user| it.user == user);
                match self.subscriptions.get(endpoint).filter(|it| is_theirs(it)) {
                    Some(_) => {
                        self.subscriptions.remove(endpoint);
                        Outcome::Done
                    }
                    None => Outcome::Missing,
                }
            }
        }
    }

    fn create(&mut self, user: &UserRecord) -> Outcome {
        if self.people.values().any(|it| it.email == user.email) {
            return Outcome::User(UserOutcome::EmailTaken);
        }
        self.people.insert(user.id, user.clone());
        Outcome::Done
    }

    fn edit(&mut self, edit: &UserEdit) -> Outcome {
        let known = self.people.get(&edit.id);
        let Some(known) = known.filter(|it| it.project == edit.project).cloned() else {
            return Outcome::Missing;
        };
        let is_disabled = edit.is_disabled.unwrap_or(known.disabled_at.is_some());
        let changed = UserRecord {
            name: edit.name.clone().unwrap_or_else(|| known.name.clone()),
            role: edit.role.unwrap_or(known.role),
            disabled_at: is_disabled.then(|| known.disabled_at.unwrap_or(edit.at)),
            updated_at: edit.at,
            ..known.clone()
        };
        if is_owner(&known) && !is_owner(&changed) && self.is_last_owner(&known) {
            return Outcome::User(UserOutcome::LastOwner);
        }
        self.people.insert(edit.id, changed);
        if is_disabled {
            self.links.remove(&edit.id);
            self.end_sessions(|it| it.user == edit.id);
        }
        Outcome::Done
    }

    fn delete(&mut self, project: ProjectKey, id: UserId) -> Outcome {
        let known = self.people.get(&id).filter(|it| it.project == project);
        let Some(known) = known.cloned() else {
            return Outcome::Missing;
        };
        if is_owner(&known) && self.is_last_owner(&known) {
            return Outcome::User(UserOutcome::LastOwner);
        }
        self.people.remove(&id);
        self.links.remove(&id);
        self.end_sessions(|it| it.user == id);
        Outcome::Done
    }

    fn is_last_owner(&self, user: &UserRecord) -> bool {
        let mut others = self.people.values();
        !others.any(|it| it.id != user.id && it.project == user.project && is_owner(it))
    }

    fn set_password(
        &mut self,
        user: UserId,
        password: &PasswordHash,
        keep: Option<SessionId>,
        at: Timestamp,
    ) -> Outcome {
        let Some(known) = self.people.get_mut(&user) else {
            return Outcome::Missing;
        };
        known.password = Some(password.clone());
        known.updated_at = at;
        self.links.remove(&user);
        self.end_sessions(|it| it.user == user && Some(it.id) != keep);
        Outcome::Done
    }

    fn link(&self, hash: &[u8; 32]) -> Option<(UserRecord, Timestamp)> {
        let (user, (_, until)) = self.links.iter().find(|it| it.1.0 == *hash)?;
        Some((self.people.get(user)?.clone(), *until))
    }

    fn sign_in(&mut self, session: &SessionRecord) -> Outcome {
        let user = self.people.get(&session.user);
        if user.is_none_or(|it| it.disabled_at.is_some()) {
            return Outcome::Missing;
        }
        self.end_sessions(|it| it.ends_at() <= session.created_at);
        self.sessions.insert(session.id, session.clone());
        let all = self.list_sessions(session.user);
        for old in all.iter().skip(MAX_SESSIONS) {
            self.end_sessions(|it| it.id == old.id);
        }
        Outcome::Done
    }

    fn end_sessions(&mut self, ends: impl Fn(&SessionRecord) -> bool) {
        self.sessions.retain(|_, it| !ends(it));
        let sessions = &self.sessions;
        self.subscriptions
            .retain(|_, it| sessions.contains_key(&it.session));
    }

    fn list_sessions(&self, user: UserId) -> Vec<SessionRecord> {
        let theirs = self.sessions.values().filter(|it| it.user == user);
        let mut sessions: Vec<_> = theirs.cloned().collect();
        sessions.sort_by_key(|it| std::cmp::Reverse((it.seen_at, it.id)));
        sessions
    }

    fn subscribe(&mut self, subscription: &PushSubscription) -> Outcome {
        let session = self.sessions.get(&subscription.session);
        if session.is_none_or(|it| it.user != subscription.user) {
            return Outcome::Missing;
        }
        let endpoint = subscription.endpoint.clone();
        self.subscriptions.insert(endpoint, subscription.clone());
        let theirs = self.list_subscriptions(|it| it.user == subscription.user);
        let too_many = theirs.len().saturating_sub(MAX_SUBSCRIPTIONS);
        for old in theirs.iter().take(too_many) {
            self.subscriptions.remove(&old.endpoint);
        }
        Outcome::Done
    }

    fn list_subscriptions(
        &self,
        wanted: impl Fn(&PushSubscription) -> bool,
    ) -> Vec<PushSubscription> {
        let found = self.subscriptions.values().filter(|it| wanted(it));
        let mut found: Vec<_> = found.cloned().collect();
        found.sort_by(|a, b| (a.created_at, &a.endpoint).cmp(&(b.created_at, &b.endpoint)));
        found
    }

    fn subscriptions_of(
        &self,
        project: ProjectKey,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Vec<PushSubscription> {
        self.list_subscriptions(|it| {
            let theirs = self.people.get(&it.user);
            let session = self.sessions.get(&it.session);
            user.is_none_or(|user| user == it.user)
                && theirs.is_some_and(|it| it.project == project)
                && session.is_some_and(|it| it.ends_at() > now)
        })
    }
}

fn is_owner(user: &UserRecord) -> bool {
    user.role == Role::Owner && user.disabled_at.is_none()
}

impl UserQueries for MemoryStore {
    fn user(&self, id: UserId) -> Answer<'_, Option<UserRecord>> {
        self.answer(|it| it.users.people.get(&id).cloned())
    }

    fn user_by_email(&self, email: &str) -> Answer<'_, Option<UserRecord>> {
        self.answer(|it| {
            let mut users = it.users.people.values();
            users.find(|it| &*it.email == email).cloned()
        })
    }

    fn users(&self, project: ProjectKey) -> Answer<'_, Vec<UserRecord>> {
        self.answer(|it| {
            let users = it.users.people.values().filter(|it| it.project == project);
            let mut users: Vec<_> = users.cloned().collect();
            users.sort_by_key(|it| (it.created_at, it.id));
            users
        })
    }

    fn session(&self, hash: [u8; 32]) -> Answer<'_, Option<(SessionRecord, UserRecord)>> {
        self.answer(|it| {
            let mut sessions = it.users.sessions.values();
            let session = sessions.find(|it| it.hash == hash)?;
            Some((session.clone(), it.users.people.get(&session.user)?.clone()))
        })
    }

    fn sessions(&self, user: UserId) -> Answer<'_, Vec<SessionRecord>> {
        self.answer(|it| it.users.list_sessions(user))
    }

    fn password_link(&self, hash: [u8; 32]) -> Answer<'_, Option<(UserRecord, Timestamp)>> {
        self.answer(|it| it.users.link(&hash))
    }

    fn push_key(&self) -> Answer<'_, Option<PushKey>> {
        self.answer(|it| it.users.push_key.clone())
    }

    fn push_subscriptions(
        &self,
        project: ProjectKey,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Answer<'_, Vec<PushSubscription>> {
        self.answer(|it| it.users.subscriptions_of(project, user, now))
    }
}
