//! The key of pushes and the browsers that can be rung, both sealed (R-SEC, R-PHONE-2).

use domain::ids::{ProjectKey, SessionId, UserId};
use domain::time::Timestamp;
use ports::store::Outcome;
use ports::store::users::{MAX_SUBSCRIPTIONS, PushKey, PushSubscription};
use rusqlite::params;

use super::fault::Fault;
use super::lines::Line;
use super::loading::time;
use super::readers::Reader;
use crate::rows::Corrupt;

/// Whose the sealed key of pushes is.
const KEY_OWNER: &str = "push key";

/// Whose the sealed keys of a browser are.
fn owner(endpoint: &str) -> String {
    format!("push {endpoint}")
}

impl Line<'_> {
    /// See [`UserChange::PushKey`](ports::store::users::UserChange::PushKey).
    pub(super) fn keep_push_key(&self, key: &PushKey) -> Result<Outcome, Fault> {
        self.connection.execute(
            "INSERT OR IGNORE INTO push_key (id, private) VALUES (1, ?1)",
            [self.seal.seal(KEY_OWNER, &key.private)?],
        )?;
        Ok(Outcome::Done)
    }

    /// See [`UserChange::Subscribe`](ports::store::users::UserChange::Subscribe).
    pub(super) fn subscribe(&self, subscription: &PushSubscription) -> Result<Outcome, Fault> {
        let PushSubscription {
            endpoint,
            user,
            session,
            p256dh,
            auth,
            created_at,
        } = subscription;
        // Neither holds a blank: both are base 64.
        let keys = self
            .seal
            .seal(&owner(endpoint), &format!("{p256dh} {auth}"))?;
        let kept = self.connection.execute(
            "INSERT OR REPLACE INTO push_subscription (endpoint, user, session, keys, created_at)
             SELECT ?1, user, id, ?4, ?5 FROM session WHERE id = ?3 AND user = ?2",
            params![
                endpoint,
                user.key(),
                session.key(),
                keys,
                created_at.as_millis()
            ],
        )?;
        if kept == 0 {
            return Ok(Outcome::Missing);
        }
        self.connection.execute(
            "DELETE FROM push_subscription WHERE endpoint IN
                 (SELECT endpoint FROM push_subscription WHERE user = ?1
                  ORDER BY created_at DESC, endpoint DESC LIMIT -1 OFFSET ?2)",
            params![user.key(), i64::try_from(MAX_SUBSCRIPTIONS).unwrap_or(0)],
        )?;
        Ok(Outcome::Done)
    }

    /// Subscriptions go with their sessions.
    pub(super) fn forget_lost_subscriptions(&self) -> Result<(), Fault> {
        self.connection.execute(
            "DELETE FROM push_subscription WHERE session NOT IN (SELECT id FROM session)",
            [],
        )?;
        Ok(())
    }
}

impl Reader {
    pub(super) fn push_key(&self) -> Result<Option<PushKey>, Fault> {
        let mut statement = self
            .db
            .prepare_cached("SELECT private FROM push_key WHERE id = 1")?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let sealed = row.get_ref(0)?.as_blob().map_err(|_| Corrupt("push key"))?;
        let private = self.seal.open(KEY_OWNER, sealed)?.into();
        Ok(Some(PushKey { private }))
    }

    pub(super) fn push_subscriptions(
        &self,
        project: ProjectKey,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Result<Vec<PushSubscription>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT p.endpoint, p.user, p.session, p.keys, p.created_at
             FROM user u
                 JOIN push_subscription p ON p.user = u.id
                 JOIN session s ON s.id = p.session
             WHERE u.project = ?1 AND (?2 IS NULL OR u.id = ?2)
                 AND min(s.expires_at, s.seen_at + s.idle) > ?3
             ORDER BY p.created_at, p.endpoint",
        )?;
        let mut rows =
            statement.query(params![project.0, user.map(UserId::key), now.as_millis()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let endpoint: Box<str> = row.get(0)?;
            let sealed = row
                .get_ref(3)?
                .as_blob()
                .map_err(|_| Corrupt("push keys"))?;
            let keys = self.seal.open(&owner(&endpoint), sealed)?;
            let (p256dh, auth) = keys.split_once(' ').ok_or(Corrupt("push keys"))?;
            found.push(PushSubscription {
                user: UserId::from_key(row.get(1)?),
                session: SessionId::from_key(row.get(2)?),
                p256dh: p256dh.into(),
                auth: auth.into(),
                created_at: time(row, 4)?,
                endpoint,
            });
        }
        Ok(found)
    }
}
