//! Users, their sessions and their links (R-SEC).

use domain::ids::{ProjectKey, SessionId, UserId};
use domain::model::user::{PasswordHash, Role};
use domain::time::{Millis, Timestamp};
use ports::store::users::{
    MAX_SESSIONS, PushKey, PushSubscription, SessionRecord, UserChange, UserEdit, UserOutcome,
    UserQueries, UserRecord,
};
use ports::store::{Answer, Outcome};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::SqliteStore;
use super::fault::Fault;
use super::lines::Line;
use super::loading::{coded, optional_time, time};
use super::readers::Reader;
use crate::rows::codes::Coded;

const USER: &str = "SELECT u.id, u.project, u.email, u.name, u.role, u.password, u.created_at,
        u.updated_at, u.disabled_at";
const SESSION: &str =
    "s.id, s.hash, s.user, s.created_at, s.seen_at, s.expires_at, s.idle, s.agent";
/// Columns of a user, behind which those of another table begin.
const USER_COLUMNS: usize = 9;

fn read_user(row: &Row<'_>) -> Result<UserRecord, Fault> {
    let password: Option<Box<str>> = row.get(5)?;
    Ok(UserRecord {
        id: UserId::from_key(row.get(0)?),
        project: ProjectKey(row.get(1)?),
        email: row.get(2)?,
        name: row.get(3)?,
        role: coded::<Role>(row, 4)?,
        password: password.map(PasswordHash::new),
        created_at: time(row, 6)?,
        updated_at: time(row, 7)?,
        disabled_at: optional_time(row, 8)?,
    })
}

fn read_session(row: &Row<'_>, from: usize) -> rusqlite::Result<SessionRecord> {
    Ok(SessionRecord {
        id: SessionId::from_key(row.get(from)?),
        hash: row.get(from + 1)?,
        user: UserId::from_key(row.get(from + 2)?),
        created_at: time(row, from + 3)?,
        seen_at: time(row, from + 4)?,
        expires_at: time(row, from + 5)?,
        idle: Millis::new(row.get(from + 6)?),
        agent: row.get(from + 7)?,
    })
}

/// The first user of a query that asks for one.
fn one_user(
    db: &Connection,
    condition: &str,
    value: &dyn rusqlite::ToSql,
) -> Result<Option<UserRecord>, Fault> {
    let mut statement = db.prepare_cached(&format!("{USER} FROM user u WHERE {condition} = ?1"))?;
    let mut rows = statement.query([value])?;
    rows.next()?.map(read_user).transpose()
}

const fn done(changed: usize) -> Outcome {
    if changed == 0 {
        Outcome::Missing
    } else {
        Outcome::Done
    }
}

impl Line<'_> {
    /// See [`UserChange`].
    pub(super) fn change_user(&mut self, change: &UserChange) -> Result<Outcome, Fault> {
        match change {
            UserChange::Create(user) => self.create_user(user),
            UserChange::Edit(edit) => self.edit_user(edit),
            UserChange::Delete { project, id } => self.delete_user(*project, *id),
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
            } => Ok(done(self.connection.execute(
                "INSERT OR REPLACE INTO password_link (user, hash, expires_at)
                 SELECT id, ?2, ?3 FROM user WHERE id = ?1",
                params![user.key(), hash, expires_at.as_millis()],
            )?)),
            UserChange::UseLink {
                hash, password, at, ..
            } => self.use_link(hash, password, *at),
            UserChange::SignIn(session) => self.sign_in(session),
            UserChange::Seen { session, at } => Ok(done(self.connection.execute(
                "UPDATE session SET seen_at = max(seen_at, ?2) WHERE id = ?1",
                params![session.key(), at.as_millis()],
            )?)),
            UserChange::SignOut { user, session } => {
                let ended = self.connection.execute(
                    "DELETE FROM session WHERE id = ?1 AND user = ?2",
                    params![session.key(), user.key()],
                )?;
                self.forget_lost_subscriptions()?;
                Ok(done(ended))
            }
            UserChange::PushKey(key) => self.keep_push_key(key),
            UserChange::Subscribe(subscription) => self.subscribe(subscription),
            UserChange::Unsubscribe { user, endpoint } => Ok(done(self.connection.execute(
                "DELETE FROM push_subscription WHERE endpoint = ?1 AND (?2 IS NULL OR user = ?2)",
                params![endpoint, user.map(UserId::key)],
            )?)),
        }
    }

    fn create_user(&self, user: &UserRecord) -> Result<Outcome, Fault> {
        if one_user(self.connection, "u.email", &user.email)?.is_some() {
            return Ok(Outcome::User(UserOutcome::EmailTaken));
        }
        self.connection.execute(
            "INSERT INTO user (id, project, email, name, role, password, created_at, updated_at,
                 disabled_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                user.id.key(),
                user.project.0,
                user.email,
                user.name,
                user.role.number(),
                user.password.as_ref().map(PasswordHash::expose),
                user.created_at.as_millis(),
                user.updated_at.as_millis(),
                user.disabled_at.map(Timestamp::as_millis),
            ],
        )?;
        Ok(Outcome::Done)
    }

    fn edit_user(&self, edit: &UserEdit) -> Result<Outcome, Fault> {
        let Some(known) = self.user_of(edit.project, edit.id)? else {
            return Ok(Outcome::Missing);
        };
        let is_disabled = edit.is_disabled.unwrap_or(known.disabled_at.is_some());
        let role = edit.role.unwrap_or(known.role);
        let stays_owner = role == Role::Owner && !is_disabled;
        if !stays_owner && self.is_last_owner(&known)? {
            return Ok(Outcome::User(UserOutcome::LastOwner));
        }
        let disabled_at = is_disabled.then(|| known.disabled_at.unwrap_or(edit.at));
        self.connection.execute(
            "UPDATE user SET name = ?2, role = ?3, disabled_at = ?4, updated_at = ?5 WHERE id = ?1",
            params![
                edit.id.key(),
                edit.name.as_deref().unwrap_or(&known.name),
                role.number(),
                disabled_at.map(Timestamp::as_millis),
                edit.at.as_millis(),
            ],
        )?;
        if is_disabled {
            self.sign_out_everywhere(edit.id, None)?;
        }
        Ok(Outcome::Done)
    }

    fn delete_user(&self, project: ProjectKey, id: UserId) -> Result<Outcome, Fault> {
        let Some(known) = self.user_of(project, id)? else {
            return Ok(Outcome::Missing);
        };
        if self.is_last_owner(&known)? {
            return Ok(Outcome::User(UserOutcome::LastOwner));
        }
        self.connection
            .execute("DELETE FROM user WHERE id = ?1", [id.key()])?;
        self.sign_out_everywhere(id, None)?;
        Ok(Outcome::Done)
    }

    fn user_of(&self, project: ProjectKey, id: UserId) -> Result<Option<UserRecord>, Fault> {
        let found = one_user(self.connection, "u.id", &id.key())?;
        Ok(found.filter(|it| it.project == project))
    }

    /// Whether this is an owner who can sign in, and the project's only one.
    fn is_last_owner(&self, user: &UserRecord) -> Result<bool, Fault> {
        if user.role != Role::Owner || user.disabled_at.is_some() {
            return Ok(false);
        }
        let others: i64 = self.connection.query_row(
            "SELECT count(*) FROM user
             WHERE project = ?1 AND id <> ?2 AND role = ?3 AND disabled_at IS NULL",
            params![user.project.0, user.id.key(), Role::Owner.number()],
            |row| row.get(0),
        )?;
        Ok(others == 0)
    }

    fn set_password(
        &self,
        user: UserId,
        password: &PasswordHash,
        keep: Option<SessionId>,
        at: Timestamp,
    ) -> Result<Outcome, Fault> {
        let changed = self.connection.execute(
            "UPDATE user SET password = ?2, updated_at = ?3 WHERE id = ?1",
            params![user.key(), password.expose(), at.as_millis()],
        )?;
        if changed > 0 {
            self.sign_out_everywhere(user, keep)?;
        }
        Ok(done(changed))
    }

    fn use_link(
        &self,
        hash: &[u8; 32],
        password: &PasswordHash,
        at: Timestamp,
    ) -> Result<Outcome, Fault> {
        let user: Option<i64> = self
            .connection
            .query_row(
                "SELECT u.id FROM password_link l JOIN user u ON u.id = l.user
                 WHERE l.hash = ?1 AND l.expires_at > ?2 AND u.disabled_at IS NULL",
                params![hash, at.as_millis()],
                |row| row.get(0),
            )
            .optional()?;
        let Some(user) = user.map(UserId::from_key) else {
            return Ok(Outcome::Missing);
        };
        self.set_password(user, password, None, at)?;
        Ok(Outcome::User(UserOutcome::LinkUsed(user)))
    }

    /// Ends a user's sessions but one, and their link.
    fn sign_out_everywhere(&self, user: UserId, keep: Option<SessionId>) -> Result<(), Fault> {
        self.connection
            .execute("DELETE FROM password_link WHERE user = ?1", [user.key()])?;
        self.connection.execute(
            "DELETE FROM session WHERE user = ?1 AND id IS NOT ?2",
            params![user.key(), keep.map(SessionId::key)],
        )?;
        self.forget_lost_subscriptions()
    }

    fn sign_in(&self, session: &SessionRecord) -> Result<Outcome, Fault> {
        let user = one_user(self.connection, "u.id", &session.user.key())?;
        if user.is_none_or(|it| it.disabled_at.is_some()) {
            return Ok(Outcome::Missing);
        }
        self.connection.execute(
            "DELETE FROM session WHERE min(expires_at, seen_at + idle) <= ?1",
            [session.created_at.as_millis()],
        )?;
        self.connection.execute(
            "INSERT INTO session (id, hash, user, created_at, seen_at, expires_at, idle, agent)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                session.id.key(),
                session.hash,
                session.user.key(),
                session.created_at.as_millis(),
                session.seen_at.as_millis(),
                session.expires_at.as_millis(),
                session.idle.get(),
                session.agent,
            ],
        )?;
        self.connection.execute(
            "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE user = ?1
                 ORDER BY seen_at DESC, id DESC LIMIT -1 OFFSET ?2)",
            params![session.user.key(), i64::try_from(MAX_SESSIONS).unwrap_or(0)],
        )?;
        self.forget_lost_subscriptions()?;
        Ok(Outcome::Done)
    }
}

impl Reader {
    fn users(&self, project: ProjectKey) -> Result<Vec<UserRecord>, Fault> {
        let mut statement = self.db.prepare_cached(&format!(
            "{USER} FROM user u WHERE u.project = ?1 ORDER BY u.created_at, u.id"
        ))?;
        let mut rows = statement.query([project.0])?;
        let mut users = Vec::new();
        while let Some(row) = rows.next()? {
            users.push(read_user(row)?);
        }
        Ok(users)
    }

    fn session(&self, hash: &[u8; 32]) -> Result<Option<(SessionRecord, UserRecord)>, Fault> {
        let mut statement = self.db.prepare_cached(&format!(
            "{USER}, {SESSION} FROM session s JOIN user u ON u.id = s.user WHERE s.hash = ?1"
        ))?;
        let mut rows = statement.query([hash])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some((read_session(row, USER_COLUMNS)?, read_user(row)?)))
    }

    fn sessions(&self, user: UserId) -> Result<Vec<SessionRecord>, Fault> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {SESSION} FROM session s WHERE s.user = ?1 ORDER BY s.seen_at DESC, s.id DESC"
        ))?;
        let sessions = statement.query_map([user.key()], |row| read_session(row, 0))?;
        Ok(sessions.collect::<rusqlite::Result<_>>()?)
    }

    fn password_link(&self, hash: &[u8; 32]) -> Result<Option<(UserRecord, Timestamp)>, Fault> {
        let mut statement = self.db.prepare_cached(&format!(
            "{USER}, l.expires_at FROM password_link l JOIN user u ON u.id = l.user
             WHERE l.hash = ?1"
        ))?;
        let mut rows = statement.query([hash])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some((read_user(row)?, time(row, USER_COLUMNS)?)))
    }
}

impl UserQueries for SqliteStore {
    fn user(&self, id: UserId) -> Answer<'_, Option<UserRecord>> {
        self.ask(move |reader| one_user(&reader.db, "u.id", &id.key()))
    }

    fn user_by_email(&self, email: &str) -> Answer<'_, Option<UserRecord>> {
        let email = email.to_owned();
        self.ask(move |reader| one_user(&reader.db, "u.email", &email))
    }

    fn users(&self, project: ProjectKey) -> Answer<'_, Vec<UserRecord>> {
        self.list(move |reader| reader.users(project))
    }

    fn session(&self, hash: [u8; 32]) -> Answer<'_, Option<(SessionRecord, UserRecord)>> {
        self.ask(move |reader| reader.session(&hash))
    }

    fn sessions(&self, user: UserId) -> Answer<'_, Vec<SessionRecord>> {
        self.ask(move |reader| reader.sessions(user))
    }

    fn password_link(&self, hash: [u8; 32]) -> Answer<'_, Option<(UserRecord, Timestamp)>> {
        self.ask(move |reader| reader.password_link(&hash))
    }

    fn push_key(&self) -> Answer<'_, Option<PushKey>> {
        self.ask(Reader::push_key)
    }

    fn push_subscriptions(
        &self,
        project: ProjectKey,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Answer<'_, Vec<PushSubscription>> {
        self.list(move |reader| reader.push_subscriptions(project, user, now))
    }
}
