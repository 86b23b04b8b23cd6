//! What colleagues' pages are told at once that no event says: that a conversation was read, that an alert
//! was seen or silenced. It says only what to ask for again, and is kept nowhere: a page that was not
//! listening asks by itself.

use domain::ids::ProjectKey;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};

/// Most that a page may be behind; beyond it asks for everything.
const BEHIND_MAX: usize = 64;

/// What somebody changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nudge {
    /// What is unread.
    Conversations,
    /// Who has seen an alert, or what is silenced.
    Alerts,
}

impl Nudge {
    /// The name of its event.
    pub(super) const fn event(self) -> &'static str {
        match self {
            Self::Conversations => "conversations",
            Self::Alerts => "alerts",
        }
    }
}

/// Tells the pages of a project.
pub(super) struct Nudges(Sender<(ProjectKey, Nudge)>);

impl Default for Nudges {
    fn default() -> Self {
        Self(broadcast::channel(BEHIND_MAX).0)
    }
}

impl Nudges {
    /// Tells them.
    pub(super) fn tell(&self, project: ProjectKey, nudge: Nudge) {
        // Nobody may be listening.
        drop(self.0.send((project, nudge)));
    }

    /// Hears what is told from now on.
    pub(super) fn listen(&self, project: ProjectKey) -> Listener {
        let heard = self.0.subscribe();
        Listener { project, heard }
    }
}

/// One page's ear.
pub(super) struct Listener {
    project: ProjectKey,
    heard: Receiver<(ProjectKey, Nudge)>,
}

/// What a page hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// This.
    Nudge(Nudge),
    /// More than it could follow.
    Missed,
    /// Nothing any more.
    Over,
}

impl Listener {
    /// The next that is told to this project. Dropped before it answers, it has taken nothing.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            match self.heard.recv().await {
                Ok((project, nudge)) if project == self.project => return Heard::Nudge(nudge),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Heard::Missed,
                Err(RecvError::Closed) => return Heard::Over,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: ProjectKey = ProjectKey(1);

    #[tokio::test]
    async fn a_page_hears_what_its_own_project_is_told() {
        let nudges = Nudges::default();
        nudges.tell(OURS, Nudge::Alerts);
        let mut page = nudges.listen(OURS);
        nudges.tell(ProjectKey(2), Nudge::Alerts);
        nudges.tell(OURS, Nudge::Conversations);
        assert_eq!(page.next().await, Heard::Nudge(Nudge::Conversations));
        drop(nudges);
        assert_eq!(page.next().await, Heard::Over);
    }

    #[tokio::test]
    async fn a_page_that_is_far_behind_knows_that_it_missed_something() {
        let nudges = Nudges::default();
        let mut page = nudges.listen(OURS);
        for _ in 0..=BEHIND_MAX {
            nudges.tell(OURS, Nudge::Alerts);
        }
        assert_eq!(page.next().await, Heard::Missed);
        assert_eq!(page.next().await, Heard::Nudge(Nudge::Alerts));
    }
}
