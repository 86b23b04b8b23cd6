//! The people who use the pages, where they are signed in, and where they can be rung (R-SEC).

use std::fmt;

use domain::ids::{ProjectKey, SessionId, UserId};
use domain::model::user::{PasswordHash, Role};
use domain::time::{Millis, Timestamp};

use super::Answer;

/// Most sessions of one user; the one that was used longest ago goes first.
pub const MAX_SESSIONS: usize = 20;
/// Most subscriptions of one user; the oldest goes first.
pub const MAX_SUBSCRIPTIONS: usize = 10;

/// A person who may sign in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserRecord {
    /// Its id.
    pub id: UserId,
    /// Whose project they work in.
    pub project: ProjectKey,
    /// What they sign in with, in lower case; nobody else's.
    pub email: Box<str>,
    /// What others call them.
    pub name: Box<str>,
    /// What they may do.
    pub role: Role,
    /// `None` until they chose one.
    pub password: Option<PasswordHash>,
    /// When they were added.
    pub created_at: Timestamp,
    /// When they were last changed.
    pub updated_at: Timestamp,
    /// Since when they may not sign in any more.
    pub disabled_at: Option<Timestamp>,
}

/// A browser in which a user is signed in. Of its token only the SHA-256 is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Who.
    pub user: UserId,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// When it ends however much it is used.
    pub expires_at: Timestamp,
    /// How long it lasts unused.
    pub idle: Millis,
    /// What the browser called itself.
    pub agent: Box<str>,
}

impl SessionRecord {
    /// When it ends if it is not used any more.
    pub fn ends_at(&self) -> Timestamp {
        self.expires_at.min(self.seen_at.plus(self.idle))
    }
}

/// The key that pushes are signed with (VAPID), made once. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PushKey {
    /// The private key, PKCS #8 in base 64; sealed where it is kept.
    pub private: Box<str>,
}

impl fmt::Debug for PushKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKey(…)")
    }
}

/// Where a browser can be rung.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PushSubscription {
    /// The URL at its push service; one subscription has one.
    pub endpoint: Box<str>,
    /// Who.
    pub user: UserId,
    /// In which session: it goes with it.
    pub session: SessionId,
    /// The browser's public key, base 64.
    pub p256dh: Box<str>,
    /// The secret that only the browser shares, base 64.
    pub auth: Box<str>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What is said of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserEdit {
    /// Whose.
    pub project: ProjectKey,
    /// Which.
    pub id: UserId,
    /// Another name.
    pub name: Option<Box<str>>,
    /// Another role.
    pub role: Option<Role>,
    /// Whether they may not sign in any more.
    pub is_disabled: Option<bool>,
    /// When.
    pub at: Timestamp,
}

/// A change of users and sessions. Answers [`Outcome::Done`](super::Outcome::Done) where nothing
/// else is said, and [`Outcome::Missing`](super::Outcome::Missing) where what it is about does not
/// exist.
///
/// A session that ends takes its subscriptions with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UserChange {
    /// Adds a user. [`UserOutcome::EmailTaken`] where anybody, in whatever project, has the address.
    Create(UserRecord),
    /// Changes what is given. Who is disabled is signed out everywhere, and their link goes.
    /// [`UserOutcome::LastOwner`] where the project would have no owner left who can sign in.
    Edit(UserEdit),
    /// Forgets a user with all that is theirs. [`UserOutcome::LastOwner`] as above.
    Delete {
        /// Whose.
        project: ProjectKey,
        /// Which.
        id: UserId,
    },
    /// Gives a user a password, and ends their other sessions and their link.
    Password {
        /// Whose, for the audit log.
        project: ProjectKey,
        /// Who.
        user: UserId,
        /// Which.
        password: PasswordHash,
        /// The session that goes on.
        keep: Option<SessionId>,
        /// When.
        at: Timestamp,
    },
    /// Gives a user a link to choose a password with, in place of an earlier one.
    Link {
        /// Whose, for the audit log.
        project: ProjectKey,
        /// Who.
        user: UserId,
        /// SHA-256 of its token.
        hash: [u8; 32],
        /// When it stops to work.
        expires_at: Timestamp,
    },
    /// Uses a link, once: as [`UserChange::Password`], and answers [`UserOutcome::LinkUsed`].
    /// `Missing` also where it is over or its user is disabled.
    UseLink {
        /// Whose, for the audit log.
        project: ProjectKey,
        /// SHA-256 of its token.
        hash: [u8; 32],
        /// The password that was chosen.
        password: PasswordHash,
        /// When.
        at: Timestamp,
    },
    /// Keeps a session; forgets everybody's that are over by then, and the user's that are more
    /// than [`MAX_SESSIONS`]. `Missing` where the user is disabled.
    SignIn(SessionRecord),
    /// Notes that a session was used; never an earlier time.
    Seen {
        /// Which.
        session: SessionId,
        /// When.
        at: Timestamp,
    },
    /// Ends a session of a user.
    SignOut {
        /// Who.
        user: UserId,
        /// Which.
        session: SessionId,
    },
    /// Keeps the key of pushes, unless there is one.
    PushKey(PushKey),
    /// Keeps a subscription in place of the one with its endpoint, whoever's that was; the user's
    /// oldest beyond [`MAX_SUBSCRIPTIONS`] go. `Missing` where its session is.
    Subscribe(PushSubscription),
    /// Forgets a subscription; of this user only, where one is given.
    Unsubscribe {
        /// Who.
        user: Option<UserId>,
        /// Which.
        endpoint: Box<str>,
    },
}

/// What became of a change of users, where that is not said by a common word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserOutcome {
    /// Somebody has that address; nothing was written.
    EmailTaken,
    /// Nobody could manage the project's users any more; nothing was written.
    LastOwner,
    /// The link of this user was used.
    LinkUsed(UserId),
}

/// What can be asked of users and sessions.
pub trait UserQueries: Send + Sync + 'static {
    /// The user with this id.
    fn user(&self, id: UserId) -> Answer<'_, Option<UserRecord>>;

    /// The user with this address, in lower case, in whatever project.
    fn user_by_email(&self, email: &str) -> Answer<'_, Option<UserRecord>>;

    /// The project's users, oldest first.
    fn users(&self, project: ProjectKey) -> Answer<'_, Vec<UserRecord>>;

    /// The session with this SHA-256 and its user, also where it is over.
    fn session(&self, hash: [u8; 32]) -> Answer<'_, Option<(SessionRecord, UserRecord)>>;

    /// A user's sessions, last used first, also those that are over.
    fn sessions(&self, user: UserId) -> Answer<'_, Vec<SessionRecord>>;

    /// Whose link this is, and until when it works.
    fn password_link(&self, hash: [u8; 32]) -> Answer<'_, Option<(UserRecord, Timestamp)>>;

    /// The key of pushes.
    fn push_key(&self) -> Answer<'_, Option<PushKey>>;

    /// The subscriptions of a project's users, or of one, oldest first: those whose session is not
    /// over.
    fn push_subscriptions(
        &self,
        project: ProjectKey,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Answer<'_, Vec<PushSubscription>>;
}
