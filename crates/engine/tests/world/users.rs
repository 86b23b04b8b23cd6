//! The engine asks nothing of users; the store of its tests answers as the disk does.

use domain::ids::{ProjectKey, UserId};
use domain::time::Timestamp;
use ports::store::Answer;
use ports::store::users::{PushKey, PushSubscription, SessionRecord, UserQueries, UserRecord};

use super::store::Access;

impl UserQueries for Access {
    fn user(&self, id: UserId) -> Answer<'_, Option<UserRecord>> {
        self.ask(|it| it.user(id))
    }

    fn user_by_email(&self, email: &str) -> Answer<'_, Option<UserRecord>> {
        self.ask(|it| it.user_by_email(email))
    }

    fn users(&self, project: ProjectKey) -> Answer<'_, Vec<UserRecord>> {
        self.ask(|it| it.users(project))
    }

    fn session(&self, hash: [u8; 32]) -> Answer<'_, Option<(SessionRecord, UserRecord)>> {
        self.ask(|it| it.session(hash))
    }

    fn sessions(&self, user: UserId) -> Answer<'_, Vec<SessionRecord>> {
        self.ask(|it| it.sessions(user))
    }

    fn password_link(&self, hash: [u8; 32]) -> Answer<'_, Option<(UserRecord, Timestamp)>> {
        self.ask(|it| it.password_link(hash))
    }

    fn push_key(&self) -> Answer<'_, Option<PushKey>> {
        self.ask(UserQueries::push_key)
    }

    fn push_subscriptions(
        &self,
        project: ProjectKey,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Answer<'_, Vec<PushSubscription>> {
        self.ask(|it| it.push_subscriptions(project, user, now))
    }
}
