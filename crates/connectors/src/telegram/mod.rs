//! A Telegram bot, by the Bot API.
//!
//! Telegram says whether it took a message and nothing after that: a route of this kind is configured
//! with `receipts = false`. A bot cannot write first: a person's chat is known once they pressed Start.
//!
//! Reading order: [`config`], `submit` (submission to request), `codes` (what answers mean), `inbound`
//! (what updates tell), `bot` (these as a provider of the shared driver), `polling`, `media`.

mod bot;
mod codes;
pub mod config;
mod inbound;
mod media;
mod polling;
mod submit;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use domain::time::Millis;
use ports::clock::Clock;
use ports::connector::{Connector, RouteEvents, SubmissionSource};
use ports::hooks::{Hooks, Pending};
use ports::provider::{Media, MediaSource, ProviderError};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::bot::Bot;
use self::polling::Polling;
use crate::in_use;
use crate::web::client::Client;
use crate::web::driver::{self, DriverSettings, WebRoute};

pub use config::{TelegramConfig, Updates};

/// Starts a route. Must be called inside a tokio runtime.
///
/// An unreachable Telegram or a wrong token is a state of the link, told by [`RouteEvents::link`].
pub fn start(
    config: TelegramConfig,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Connector> {
    let settings = DriverSettings {
        window: config.window,
        timeout: config.timeout,
    };
    let bot = Arc::new(Bot { config });
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    if bot.config.updates == Updates::Polling {
        let polling = Polling {
            bot: Arc::clone(&bot),
            transport: Arc::new(Client::new(settings.timeout)),
            events: Arc::clone(&events),
            in_use: in_use::follow(&source),
        };
        tasks.spawn(polling.run(stop.clone()));
    }
    tasks.close();
    let route = driver::start(bot, settings, source, events, clock);
    Arc::new(Telegram {
        route,
        stop: stop.drop_guard(),
        tasks,
    })
}

struct Telegram {
    route: Arc<WebRoute<Bot>>,
    /// Ends the polling, also where nobody holds the connector any more.
    stop: DropGuard,
    tasks: TaskTracker,
}

impl Connector for Telegram {
    fn stop(&self, patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.stop.token().cancel();
        let route = self.route.stop(patience);
        Box::pin(async move {
            tokio::join!(route, self.tasks.wait());
        })
    }

    fn hooks(&self) -> Option<&dyn Hooks> {
        match self.route.protocol().config.updates {
            Updates::Webhook => self.route.hooks(),
            Updates::Polling => None,
        }
    }

    fn media(&self) -> Option<&dyn MediaSource> {
        Some(self)
    }
}

impl MediaSource for Telegram {
    fn fetch(&self, id: &str) -> Pending<'_, Result<Media, ProviderError>> {
        let id = id.to_owned();
        let bot = self.route.protocol();
        Box::pin(async move { media::fetch(bot, self.route.transport(), &id).await })
    }
}

#[cfg(test)]
#[path = "compliance_tests.rs"]
mod compliance_tests;
