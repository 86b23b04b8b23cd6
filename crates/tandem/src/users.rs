//! How is a user of the pages added from the command line, and how do they get their password (R-SEC)?

use anyhow::{Context, Result, bail};
use domain::ids::{ProjectKey, UserId, first_key_at};
use domain::model::user::Role;
use domain::time::Timestamp;
use ports::store::operations::Outcome;
use ports::store::users::{UserChange, UserEdit, UserOutcome, UserRecord};
use ports::store::{Store, Unavailable};
use rand::distr::{Alphanumeric, SampleString};

/// Random characters of a link's token: 62 to the power of 43 is more than 256 bits.
const TOKEN_CHARS: usize = 43;
/// Bits of an id below the millisecond, filled at random: several processes may add users.
const ID_RANDOM: i64 = 1 << 22;

/// Adds a user, who has no password yet.
pub(crate) async fn add(
    store: &dyn Store,
    project: ProjectKey,
    email: Box<str>,
    name: &str,
    role: Role,
    now: Timestamp,
) -> Result<UserRecord> {
    let user = UserRecord {
        id: UserId::from_key(first_key_at(now) + rand::random_range(0..ID_RANDOM)),
        project,
        email,
        name: name.into(),
        role,
        password: None,
        created_at: now,
        updated_at: now,
        disabled_at: None,
    };
    apply(store, UserChange::Create(user.clone()), now).await?;
    Ok(user)
}

/// A link by which the user chooses a password; an earlier one works no more.
pub(crate) async fn link(
    store: &dyn Store,
    user: &UserRecord,
    base: &str,
    now: Timestamp,
) -> Result<String> {
    let token = Alphanumeric.sample_string(&mut rand::rng(), TOKEN_CHARS);
    let change = UserChange::Link {
        project: user.project,
        user: user.id,
        hash: api::hash_key(&token),
        expires_at: now.plus(api::LINK_LASTS),
    };
    apply(store, change, now).await?;
    Ok(api::password_link(base, &token))
}

/// Lets a user sign in no more, or again.
pub(crate) async fn disable(
    store: &dyn Store,
    user: &UserRecord,
    is_disabled: bool,
    now: Timestamp,
) -> Result<()> {
    let edit = UserEdit {
        project: user.project,
        id: user.id,
        name: None,
        role: None,
        is_disabled: Some(is_disabled),
        at: now,
    };
    apply(store, UserChange::Edit(edit), now).await
}

/// The user of this project with this address.
pub(crate) async fn find(
    store: &dyn Store,
    project: ProjectKey,
    email: &str,
) -> Result<UserRecord> {
    let email = domain::model::user::email(email).unwrap_or_default();
    let found = store.user_by_email(&email).await?;
    found.filter(|it| it.project == project).with_context(|| {
        format!("there is no user {email} in this project; `tandem users list` shows them")
    })
}

async fn apply(store: &dyn Store, change: UserChange, now: Timestamp) -> Result<()> {
    let (done, answer) = tokio::sync::oneshot::channel::<Result<Outcome, Unavailable>>();
    store.commit(
        engine::audited_user(crate::keys::operator(), now, change),
        Box::new(move |outcome| {
            // Safe because: whoever stopped waiting does not want to know.
            drop(done.send(outcome));
        }),
    );
    let outcome = answer.await.context("the store stopped")??;
    if let Outcome::User(refused) = &outcome {
        match refused {
            UserOutcome::EmailTaken => bail!("somebody has that e-mail address already"),
            UserOutcome::LastOwner => {
                bail!("this is the last owner who can sign in; make somebody else an owner first")
            }
            UserOutcome::LinkUsed(_) => {}
        }
    }
    let Outcome::Done = outcome else {
        bail!("the store answered {outcome:?}");
    };
    Ok(())
}
