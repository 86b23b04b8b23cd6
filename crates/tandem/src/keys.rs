//! How are API keys made, kept and shown (R-SEC)?

use anyhow::{Context, Result, ensure};
use domain::ids::{ApiKeyId, ProjectKey, first_key_at};
use domain::model::audit::{Actor, ActorKind, AuditAction, AuditEntry};
use domain::time::Timestamp;
use ports::store::audit::Audited;
use ports::store::operations::{ApiKeyRecord, KeyChange, Op, Outcome};
use ports::store::{Registered, Store, Unavailable};
use rand::distr::{Alphanumeric, SampleString};

use crate::config::{Scope, Secret, is_test_key};

/// Random characters of a key: 62 to the power of 32 is more than 190 bits.
const KEY_CHARS: usize = 32;
/// Bits of an id below the millisecond, filled at random: several processes may make keys.
const ID_RANDOM: i64 = 1 << 22;

/// A key that nobody has seen yet.
pub(crate) fn fresh(test: bool) -> Secret {
    let kind = if test { "test" } else { "live" };
    let random = Alphanumeric.sample_string(&mut rand::rng(), KEY_CHARS);
    Secret::new(format!("zv_{kind}_{random}"))
}

/// The store's name for a project.
pub(crate) async fn project_key(store: &dyn Store, id: &str, now: Timestamp) -> Result<ProjectKey> {
    let (key, _) = store
        .register(Registered::Project(id.into()), now)
        .await
        .context("find the project")?;
    Ok(ProjectKey(key))
}

/// Keeps a fresh key and gives it out, the only time it is seen.
pub(crate) async fn create(
    store: &dyn Store,
    project: ProjectKey,
    name: &str,
    scopes: &[Scope],
    test: bool,
    now: Timestamp,
) -> Result<(Secret, ApiKeyRecord)> {
    let key = fresh(test);
    let record = ApiKeyRecord {
        id: ApiKeyId::from_key(first_key_at(now) + rand::random_range(0..ID_RANDOM)),
        project,
        name: name.into(),
        hash: api::hash_key(key.expose()),
        scopes: Scope::bits_of(scopes),
        test: is_test_key(key.expose()),
        created_at: now,
        revoked_at: None,
    };
    let outcome = apply(store, KeyChange::Create(record.clone()), now).await?;
    ensure!(
        matches!(outcome, Outcome::Done),
        "keep the key: the store answered {outcome:?}"
    );
    Ok((key, record))
}

/// Revokes a key of the project.
pub(crate) async fn revoke(
    store: &dyn Store,
    project: ProjectKey,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<()> {
    let outcome = apply(
        store,
        KeyChange::Revoke {
            project,
            id,
            at: now,
        },
        now,
    )
    .await?;
    ensure!(
        !matches!(outcome, Outcome::Missing),
        "there is no key {id} in this project; `tandem keys list` shows them"
    );
    ensure!(
        matches!(outcome, Outcome::Done),
        "revoke the key: the store answered {outcome:?}"
    );
    Ok(())
}

/// Who sits at this machine, for the audit log.
pub(crate) fn operator() -> Actor {
    let user = std::env::var("USER").ok().filter(|it| !it.is_empty());
    Actor::new(
        ActorKind::Cli,
        user.unwrap_or_else(|| "somebody".to_owned()),
    )
}

/// What the audit log says of it.
fn told(change: &KeyChange, now: Timestamp) -> AuditEntry {
    let (project, action, id, detail) = match change {
        KeyChange::Create(key) => (
            key.project,
            AuditAction::KeyCreated,
            key.id,
            vec![("name".into(), key.name.clone())],
        ),
        KeyChange::Revoke { project, id, .. } => {
            (*project, AuditAction::KeyRevoked, *id, Vec::new())
        }
    };
    AuditEntry {
        project,
        at: now,
        actor: operator(),
        action,
        subject: format!("key:{id}").into(),
        reason: None,
        detail,
        count: 1,
    }
}

async fn apply(store: &dyn Store, change: KeyChange, now: Timestamp) -> Result<Outcome> {
    let (done, answer) = tokio::sync::oneshot::channel::<Result<Outcome, Unavailable>>();
    let entry = told(&change, now);
    let op = Op::Key(Box::new(change));
    store.commit(
        Op::Audited(Box::new(Audited { op, entry })),
        Box::new(move |outcome| {
            // Safe because: whoever stopped waiting does not want to know.
            drop(done.send(outcome));
        }),
    );
    Ok(answer.await.context("the store stopped")??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_keys_differ_and_say_what_they_are() {
        let (live, test) = (fresh(false), fresh(true));
        assert!(live.expose().starts_with("zv_live_") && !is_test_key(live.expose()));
        assert!(test.expose().starts_with("zv_test_") && is_test_key(test.expose()));
        assert_ne!(fresh(true), test);
    }
}
