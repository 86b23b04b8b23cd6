//! WhatsApp by Meta's Cloud API, or by a partner that speaks the same.
//!
//! Reading order: `config`, `codes`, `submit` with `interactive` and `submit_template`,
//! `answer`, `callback` with `receipt`, `inbound` and `notice`, then what the API does
//! beside carrying messages: `templates` with `components`, `media`. `directory` is for several
//! numbers behind one callback URL.
//!
//! A validity period is not passed on: on WhatsApp it is a property of the template.

mod answer;
mod callback;
mod codes;
mod components;
mod config;
mod directory;
mod inbound;
mod interactive;
mod media;
mod notice;
mod people;
mod protocol;
mod receipt;
mod service;
mod submit;
mod submit_template;
mod templates;
mod tree;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use domain::model::template::TemplateDefinition;
use domain::time::Millis;
use ports::clock::Clock;
use ports::connector::{Connector, RouteEvents, SubmissionSource};
use ports::hooks::{HookAnswer, HookCall, Hooks, Pending};
use ports::provider::{
    Media, MediaSource, Presence, ProviderError, ProviderTemplate, SubmittedTemplate,
    TemplateRegistrar,
};
use serde_json::json;

pub use config::WhatsAppConfig;
pub use directory::Directory;

use crate::web::client::Transport;
use crate::web::driver::{self, DriverSettings, WebRoute};
use crate::web::hear::hear;
use crate::web::protocol::Callback;
use protocol::CloudApi;

/// Starts a route. All WhatsApp routes of the process get the same `directory`.
///
/// Must be called inside a tokio runtime. A wrong token or number is a state of the link, told by
/// [`RouteEvents::link`].
pub fn start(
    config: WhatsAppConfig,
    directory: Arc<Directory>,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Connector> {
    let settings = DriverSettings {
        window: config.window,
        timeout: config.timeout,
    };
    let api = Arc::new(CloudApi { config });
    directory.enter(Arc::clone(&api), Arc::clone(&events));
    let route = driver::start(Arc::clone(&api), settings, source, events, clock);
    Arc::new(WhatsApp {
        api,
        route,
        directory,
    })
}

/// A running route.
struct WhatsApp {
    api: Arc<CloudApi>,
    route: Arc<WebRoute<CloudApi>>,
    directory: Arc<Directory>,
}

impl WhatsApp {
    fn transport(&self) -> &dyn Transport {
        self.route.transport()
    }
}

impl Drop for WhatsApp {
    fn drop(&mut self) {
        self.directory.leave(&self.api);
    }
}

impl Connector for WhatsApp {
    fn stop(&self, patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.route.stop(patience)
    }

    fn hooks(&self) -> Option<&dyn Hooks> {
        Some(self)
    }

    fn presence(&self) -> Option<&dyn Presence> {
        Some(self)
    }

    fn media(&self) -> Option<&dyn MediaSource> {
        Some(self)
    }

    fn templates(&self) -> Option<&dyn TemplateRegistrar> {
        Some(self)
    }
}

impl Hooks for WhatsApp {
    /// Each route is told its share, also when another could not keep its own: what was told and is
    /// told again is known by then.
    fn call(&self, call: HookCall) -> Pending<'_, HookAnswer> {
        Box::pin(async move {
            let told = match callback::read(&self.api.config, &call) {
                Ok(told) => told,
                Err(answer) => return answer,
            };
            let mut answer = HookAnswer::empty(200);
            for (events, tellings) in self.directory.divide(&self.api, told) {
                let share = Callback::Tells(tellings, HookAnswer::empty(200));
                let heard = hear(share, &*events).await;
                if heard.status != 200 {
                    answer = heard;
                }
            }
            answer
        })
    }
}

impl Presence for WhatsApp {
    fn typing(&self, provider_id: &str) -> Pending<'_, Result<(), ProviderError>> {
        let body = json!({
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": provider_id,
            "typing_indicator": {"type": "text"},
        });
        let request = submit::post(&self.api.config, "/messages", &body);
        Box::pin(async move {
            let answered = service::ask(self.transport(), request).await;
            answered.map(|_| ())
        })
    }
}

impl MediaSource for WhatsApp {
    fn fetch(&self, id: &str) -> Pending<'_, Result<Media, ProviderError>> {
        let id = id.to_owned();
        Box::pin(async move { media::fetch(&self.api, self.transport(), &id).await })
    }
}

impl TemplateRegistrar for WhatsApp {
    /// The business account; a route that does not name it shares its templates with no other.
    fn account(&self) -> &str {
        let config = &self.api.config;
        config.waba_id.as_deref().unwrap_or(&config.phone_number_id)
    }

    fn submit(
        &self,
        definition: TemplateDefinition,
    ) -> Pending<'_, Result<SubmittedTemplate, ProviderError>> {
        Box::pin(async move { templates::submit(&self.api, self.transport(), &definition).await })
    }

    fn list(&self) -> Pending<'_, Result<Vec<ProviderTemplate>, ProviderError>> {
        Box::pin(templates::list(&self.api, self.transport()))
    }
}

#[cfg(test)]
mod compliance_tests;
#[cfg(test)]
mod tests;
