//! A person's word over a route (R-HEALTH): kept, taken into effect, and taken back when its time is
//! over. What waits for a route that gets nothing new goes elsewhere, as with one that is down; the
//! connector of a disabled one ends its link, when it is woken
//! ([`SubmissionSource::in_use`](ports::connector::SubmissionSource::in_use)).

use std::sync::Arc;

use domain::ids::{ProjectKey, RouteKey};
use domain::model::audit::Actor;
use domain::model::control::RouteControl;
use domain::time::Millis;
use ports::store::controls::ControlChange;
use ports::store::{Op, Outcome, Unavailable};

use crate::{Engine, Inner, audit, health_log, settle, worker};

/// How often is looked whether a word's time is over.
const LOOK_EVERY: Millis = Millis::seconds(1);

impl Engine {
    /// Keeps a person's word over a route, and goes by it from the commit on.
    pub async fn control_route(
        &self,
        project: ProjectKey,
        route: RouteKey,
        control: RouteControl,
    ) -> Result<Outcome, Unavailable> {
        let change = ControlChange::Set {
            project,
            route,
            control,
        };
        commit(&self.inner, self.by(), change).await
    }

    /// Takes a person's word over a route back; [`Outcome::Missing`] where there was none.
    pub async fn release_route(
        &self,
        route: RouteKey,
        reason: Option<Box<str>>,
    ) -> Result<Outcome, Unavailable> {
        commit(&self.inner, self.by(), ControlChange::Clear(route, reason)).await
    }
}

/// Goes by what people said before the start.
pub(crate) async fn load(inner: &Arc<Inner>) -> Result<(), Unavailable> {
    for (route, control) in inner.store.route_controls().await? {
        if let Some(line) = inner.lines.get(&route) {
            tracing::info!(route = %line.route.id, control = %control.words(), "by a person's word");
            line.set_control(Some(control));
        }
    }
    Ok(())
}

/// Takes words back whose time is over, and writes down what the log of health held back.
pub(crate) async fn watch(inner: Arc<Inner>) {
    let system = Actor::system();
    loop {
        worker::sleep(LOOK_EVERY).await;
        let now = inner.now();
        health_log::flush(&inner, now);
        for line in inner.lines.values() {
            if !line.control().is_some_and(|it| it.is_over(now)) {
                continue;
            }
            let change = ControlChange::Expire(line.route.key, now);
            if let Err(error) = commit(&inner, Some(&system), change).await {
                tracing::error!(%error, route = %line.route.id, "a word over a route stays");
            }
        }
    }
}

async fn commit(
    inner: &Arc<Inner>,
    by: Option<&Actor>,
    change: ControlChange,
) -> Result<Outcome, Unavailable> {
    let (route, control) = match &change {
        ControlChange::Set { route, control, .. } => (*route, Some(control.clone())),
        ControlChange::Clear(route, _) | ControlChange::Expire(route, _) => (*route, None),
    };
    let op = audit::audited(inner, by, Op::Control(Box::new(change)));
    let then = {
        let inner = Arc::clone(inner);
        move |result: &Result<Outcome, Unavailable>| {
            if let Ok(Outcome::Done) = result {
                take_effect(&inner, route, control);
            }
        }
    };
    inner.apply_then(op, then).await
}

fn take_effect(inner: &Arc<Inner>, route: RouteKey, control: Option<RouteControl>) {
    let Some(line) = inner.lines.get(&route) else {
        return;
    };
    let words = control
        .as_ref()
        .map_or_else(|| "the automatics decide".to_owned(), RouteControl::words);
    tracing::warn!(route = %line.route.id, %words, "a person's word over a route");
    line.set_control(control);
    // What is ready on a route that is held goes back to its lane; everything is looked at again.
    settle::look_again(inner);
    line.wake();
}
