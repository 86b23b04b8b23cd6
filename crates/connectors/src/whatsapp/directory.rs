//! Which route does a callback concern, where several share one URL?
//!
//! A Meta app has one callback URL for all of its numbers, so Meta calls the route whose URL the
//! operator entered, whichever number was written to. All WhatsApp routes of a process therefore
//! share one directory: what concerns another number is told to that number's route, if its
//! configuration has the same app secret. The signature was checked with that secret, so a route
//! never hears what another app signed.

use std::sync::Arc;

use parking_lot::Mutex;
use ports::connector::RouteEvents;

use super::callback::{Addressed, Whom};
use super::protocol::CloudApi;
use crate::web::protocol::Telling;

/// The running WhatsApp routes of this process.
#[derive(Default)]
pub struct Directory {
    routes: Mutex<Vec<Listed>>,
}

struct Listed {
    api: Arc<CloudApi>,
    events: Arc<dyn RouteEvents>,
}

/// What one route is to be told.
pub(super) type Share = (Arc<dyn RouteEvents>, Vec<Telling>);

impl Directory {
    /// A directory without routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists a route.
    pub(super) fn enter(&self, api: Arc<CloudApi>, events: Arc<dyn RouteEvents>) {
        self.routes.lock().push(Listed { api, events });
    }

    /// Strikes a route out.
    pub(super) fn leave(&self, api: &Arc<CloudApi>) {
        self.routes.lock().retain(|it| !Arc::ptr_eq(&it.api, api));
    }

    /// Divides what the route `called` was told among the routes that it concerns, in order; what
    /// concerns none is left out.
    ///
    /// The called route comes first where several would do, then the one that started last. Changes
    /// of templates are told to it also where no route names their account, and it does not name its
    /// own.
    pub(super) fn divide(&self, called: &Arc<CloudApi>, told: Vec<Addressed>) -> Vec<Share> {
        let routes = self.routes.lock();
        let mut shares: Vec<(Arc<CloudApi>, Share)> = Vec::new();
        for (whom, telling) in told {
            let Some(route) = concerned(&routes, called, &whom) else {
                tracing::debug!(
                    ?whom,
                    "a callback about a number or account without a route"
                );
                continue;
            };
            let begun = shares.iter_mut().find(|it| Arc::ptr_eq(&it.0, &route.api));
            if let Some((_, (_, tellings))) = begun {
                tellings.push(telling);
            } else {
                let share = (Arc::clone(&route.events), vec![telling]);
                shares.push((Arc::clone(&route.api), share));
            }
        }
        shares.into_iter().map(|it| it.1).collect()
    }
}

fn concerned<'a>(routes: &'a [Listed], called: &Arc<CloudApi>, whom: &Whom) -> Option<&'a Listed> {
    let of_this_app = |it: &&Listed| it.api.config.app_secret == called.config.app_secret;
    let own = || routes.iter().find(|it| Arc::ptr_eq(&it.api, called));
    let named = |it: &&Listed| it.api.is_about_us(whom);
    let is_anybodys = matches!(whom, Whom::Account(_)) && called.config.waba_id.is_none();
    own()
        .filter(named)
        .or_else(|| routes.iter().rev().filter(of_this_app).find(named))
        .or_else(|| own().filter(|_| is_anybodys))
}
