//! When does nothing move any more?

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::report;
use crate::tally::Tally;

const POLL: Duration = Duration::from_millis(10);

/// How long to wait for the rest.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// After everything has ended: how long nothing may have moved, so that repeats are seen too.
    pub grace: Duration,
    /// While something is open: how long nothing may move before it is given up.
    pub quiet: Duration,
    /// In all.
    pub deadline: Duration,
}

/// Waits until every accepted message has ended and nothing moves. False: given up with messages open.
pub async fn settle(tally: &Tally, patience: Patience) -> bool {
    let start = Instant::now();
    let start_us = tally.now_us();
    loop {
        let still = Duration::from_micros(
            tally
                .now_us()
                .saturating_sub(tally.moved_us().max(start_us)),
        );
        let open = tally.open();
        if open == 0 && still >= patience.grace {
            return true;
        }
        if still >= patience.quiet || start.elapsed() >= patience.deadline {
            return open == 0;
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Shows the counts every second until dropped.
#[derive(Debug)]
pub struct Progress(tokio::task::JoinHandle<()>);

impl Progress {
    /// Starts to show the counts of `tally` under `title`.
    pub fn start(title: &str, tally: &Arc<Tally>) -> Self {
        let (title, tally) = (title.to_owned(), Arc::clone(tally));
        Self(tokio::spawn(async move {
            let mut last = tally.counts().ended;
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let counts = tally.counts();
                report::progress(&format!(
                    "{title}: accepted {}, submitted {}, ended {} ({}/s), open {}",
                    counts.accepted,
                    counts.submitted,
                    counts.ended,
                    counts.ended - last,
                    tally.open()
                ));
                last = counts.ended;
            }
        }))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        grace: Duration::from_millis(1),
        quiet: Duration::from_millis(30),
        deadline: Duration::from_secs(5),
    };

    #[tokio::test]
    async fn an_open_message_is_given_up_after_the_quiet_time() {
        let tally = Tally::default();
        let at = tally.requested(0);
        tally.accepted(0, "msg_a", at);
        assert!(!settle(&tally, PATIENCE).await);
    }

    #[tokio::test]
    async fn nothing_open_is_settled() {
        assert!(settle(&Tally::default(), PATIENCE).await);
    }
}
