//! What phones call, and what operators do with phones (R-PHONE-1).

use std::sync::Arc;

use domain::model::audit::{Actor, AuditAction};
use domain::time::{Millis, Timestamp};
use ports::connector::Heard;
use ports::hooks::{HookAnswer, HookCall, Pending};
use ports::phones::{
    Pairing, PhoneCaller, PhoneEvent, PhoneEvents, PhoneGateway, PhonePatch, PhoneStanding,
};
use ports::store::Unavailable;
use ports::store::phones::{PhoneChange, SimCard};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{broadcast, oneshot, watch};

use super::inbound::{self, Reader, Told};
use super::pairing::{credential, kept};
use super::phone::{enqueued, event};
use super::receipt::Report;
use super::wire::{self, DeviceIn, MessageOut};
use super::{PhoneRoute, Shared, all_kept, polling, secrets, told};

/// Most messages in one answer, and most reports in one request.
const AT_ONCE: usize = 100;
/// A phone that was away for so long is asked for what it received meanwhile.
const GAP: Millis = Millis::minutes(10);
/// And no further back than this.
const GAP_MAX: Millis = Millis::days(7);

impl PhoneGateway for PhoneRoute {
    fn whose<'a>(&'a self, path: &'a str, call: &'a HookCall) -> Pending<'a, Option<PhoneCaller>> {
        Box::pin(async move {
            self.shared.loaded().await;
            let mut pool = self.shared.pool.lock();
            if let Some((phone, _)) = hook(path) {
                let phone = pool.phones.get(phone)?;
                return Some(PhoneCaller::Phone(Arc::clone(&phone.record.id)));
            }
            let credential = credential(call.header("authorization")?)?;
            pool.whose(&credential, self.shared.clock.now())
        })
    }

    fn answer<'a>(
        &'a self,
        caller: PhoneCaller,
        path: &'a str,
        call: &'a HookCall,
    ) -> Pending<'a, HookAnswer> {
        Box::pin(async move {
            let shared = &self.shared;
            match (&caller, &*call.method, path) {
                (PhoneCaller::Newcomer(it), "POST", "/device") => register(shared, *it, call).await,
                (PhoneCaller::Blocked { until }, ..) => blocked(*until),
                (PhoneCaller::Newcomer(_), ..) => refused(401, "Pair this phone first."),
                (PhoneCaller::Phone(phone), "POST", path) if hook(path).is_some() => {
                    heard(shared, phone, path, call).await
                }
                (PhoneCaller::Phone(phone), "GET", "/device") => describe(shared, phone, call),
                (PhoneCaller::Phone(phone), "PATCH", "/device") => {
                    update(shared, phone, call).await
                }
                (PhoneCaller::Phone(phone), "GET", "/message" | "/messages") => {
                    messages(shared, phone).await
                }
                (PhoneCaller::Phone(phone), "PATCH", "/message" | "/messages") => {
                    reported(shared, phone, call).await
                }
                (PhoneCaller::Phone(phone), "GET", "/webhooks") => hooks(shared, phone).await,
                (PhoneCaller::Phone(phone), "GET", "/settings") => settings(shared, phone).await,
                (PhoneCaller::Phone(phone), "GET", "/user/code") => code(shared, phone).await,
                (PhoneCaller::Phone(_), "PATCH", "/user/password") => {
                    refused(401, "Phones have no password here.")
                }
                (PhoneCaller::Phone(_), "POST", "/device") => {
                    refused(401, "Pair this phone with a new token.")
                }
                (PhoneCaller::Phone(_), ..) => refused(404, "There is no such path."),
            }
        })
    }

    fn listen(&self, phone: &str) -> Option<Box<dyn PhoneEvents>> {
        let shared = Arc::clone(&self.shared);
        let now = shared.clock.now();
        let stream = {
            let mut pool = shared.pool.lock();
            pool.ask_again(phone);
            let phone = pool.phones.get_mut(phone)?;
            let away_since = phone.record.seen_at;
            phone.seen(now);
            phone.streams += 1;
            let mut first = Vec::new();
            // It asks for the two at its start and then once a day, so a change, or a start before
            // its registration was answered, would pass it by.
            if !phone.has_hooks {
                first.push(event("WebhooksUpdated"));
            }
            if !phone.has_settings {
                first.push(event("SettingsUpdated"));
            }
            if phone.record.hooks_at.is_some() && now.since(away_since) > GAP {
                first.push(export(away_since, now));
            }
            first.reverse();
            Stream {
                phone: Arc::clone(&phone.record.id),
                first,
                rest: phone.subscribe(),
                stopped: shared.stopped.clone(),
                shared: Arc::clone(&shared),
            }
        };
        shared.bell.notify_one();
        Some(Box::new(stream))
    }

    fn pair(&self, name: Option<Box<str>>, by: Actor) -> Pending<'_, Result<Pairing, Unavailable>> {
        Box::pin(async move {
            self.shared.loaded().await;
            let (pairing, kept) = self.shared.act(|pool, now| {
                let (pairing, act) = pool.pair(name, by, now);
                (pairing, vec![act])
            });
            durable(kept).await.map(|()| pairing)
        })
    }

    fn phones(&self) -> Pending<'_, Vec<PhoneStanding>> {
        Box::pin(async move {
            self.shared.loaded().await;
            let now = self.shared.clock.now();
            let pool = self.shared.pool.lock();
            let standing = |it: &super::phone::Phone| PhoneStanding {
                record: it.record.clone(),
                present: it.is_present(&pool.config, now),
                streams: it.streams,
                hooks_installed: it.record.hooks_at.is_some(),
                holds: count(
                    pool.open
                        .values()
                        .filter(|open| open.handing.phone == it.record.id),
                ),
                used: it.used_by_all(now),
                rests_until: it.rests_until.filter(|it| *it > now),
                clock_off: it.clock.told_seconds(),
            };
            pool.phones.values().map(standing).collect()
        })
    }

    fn change<'a>(
        &'a self,
        phone: &'a str,
        patch: PhonePatch,
        by: Actor,
    ) -> Pending<'a, Result<bool, Unavailable>> {
        Box::pin(async move {
            self.shared.loaded().await;
            let (found, kept) = self.shared.act(|pool, now| {
                let detail = told::changes(&patch);
                let action = AuditAction::PhoneChanged;
                let line = told::line(&pool.config, (by, now), action, Some(phone), detail);
                let Some(phone) = pool.phones.get_mut(phone) else {
                    return (false, Vec::new());
                };
                let record = &mut phone.record;
                record.name = patch.name.unwrap_or_else(|| record.name.clone());
                record.may_send = patch.may_send.unwrap_or_else(|| record.may_send.clone());
                record.per_hour = patch.per_hour.unwrap_or(record.per_hour);
                record.per_day = patch.per_day.unwrap_or(record.per_day);
                let change = PhoneChange::Phone(Box::new(record.clone()));
                (true, vec![super::Act::Told(change, Box::new(line))])
            });
            self.shared.bell.notify_one();
            durable(kept).await.map(|()| found)
        })
    }

    fn revoke<'a>(&'a self, phone: &'a str, by: Actor) -> Pending<'a, Result<bool, Unavailable>> {
        Box::pin(async move {
            self.shared.loaded().await;
            let (found, kept) = self.shared.act(|pool, now| {
                let Some(mut phone) = pool.send_away(phone) else {
                    return (false, Vec::new());
                };
                // Its permission must not let it in again.
                pool.pairings.remove(&phone.record.paired_by);
                phone.record.revoked_at = Some(now);
                let record = phone.record;
                let named = told::named(&record.name);
                let action = AuditAction::PhoneRevoked;
                let line = told::line(&pool.config, (by, now), action, Some(&record.id), named);
                let change = PhoneChange::Phone(Box::new(record));
                (true, vec![super::Act::Told(change, Box::new(line))])
            });
            self.shared.bell.notify_one();
            durable(kept).await.map(|()| found)
        })
    }
}

async fn durable(kept: Vec<super::Kept>) -> Result<(), Unavailable> {
    if all_kept(kept).await {
        Ok(())
    } else {
        Err(Unavailable::new("it could not be kept"))
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// What stands in `/hook/{phone}/{secret}`.
fn hook(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("/hook/")?.split_once('/')
}

fn answer(status: u16, body: &impl serde::Serialize) -> HookAnswer {
    match serde_json::to_vec(body) {
        Ok(body) => HookAnswer::with(status, "application/json", body),
        Err(error) => {
            tracing::error!(%error, "an answer to a phone cannot be written");
            HookAnswer::empty(500)
        }
    }
}

/// The app shows the status only; the words are for people who look.
fn refused(status: u16, message: &str) -> HookAnswer {
    answer(status, &json!({ "message": message }))
}

/// Codes are not taken for now: the answer to right and wrong ones alike.
fn blocked(until: Timestamp) -> HookAnswer {
    let until = wire::date(until);
    refused(
        429,
        &format!("Too many codes were wrong: no code is taken until {until}. A token is."),
    )
}

fn body<T: DeserializeOwned>(call: &HookCall) -> Result<T, HookAnswer> {
    serde_json::from_slice(&call.body).map_err(|_| refused(400, "This is not what a phone sends."))
}

fn done(is_kept: bool, answer: HookAnswer) -> HookAnswer {
    if is_kept {
        answer
    } else {
        refused(503, "Try again.")
    }
}

async fn register(shared: &Arc<Shared>, permission: [u8; 32], call: &HookCall) -> HookAnswer {
    let device: DeviceIn = match body(call) {
        Ok(device) => device,
        Err(answer) => return answer,
    };
    let (registered, acts) =
        shared.act(|pool, now| match pool.register(permission, &device, now) {
            Some((registered, acts)) => (Some(registered), acts),
            None => (None, Vec::new()),
        });
    let Some(registered) = registered else {
        return refused(401, "This code has let in another phone. Make a new one.");
    };
    shared.bell.notify_one();
    tracing::info!(phone = %registered.id, "a phone was paired");
    let body = json!({ "id": &*registered.id, "token": registered.token, "login": "TANDEM" });
    done(all_kept(acts).await, answer(201, &body))
}

fn describe(shared: &Shared, phone: &str, call: &HookCall) -> HookAnswer {
    let pool = shared.pool.lock();
    let device = pool.phones.get(phone).map(|it| {
        json!({
            "id": &*it.record.id,
            "name": it.record.name,
            "createdAt": wire::date(it.record.created_at),
            "updatedAt": wire::date(it.record.seen_at),
            "lastSeen": wire::date(it.record.seen_at),
        })
    });
    let external = call.header("x-forwarded-for").unwrap_or("unknown");
    let mut body = json!({ "externalIp": external.split(',').next().unwrap_or("unknown").trim() });
    if let (Some(device), Some(fields)) = (device, body.as_object_mut()) {
        fields.insert("device".to_owned(), device);
    }
    answer(200, &body)
}

async fn update(shared: &Arc<Shared>, phone: &str, call: &HookCall) -> HookAnswer {
    let device: DeviceIn = match body(call) {
        Ok(device) => device,
        Err(answer) => return answer,
    };
    if device.id.as_deref().is_some_and(|it| it != phone) {
        return refused(403, "This is another phone's id.");
    }
    let ((), acts) = shared.act(|pool, now| {
        let Some(phone) = pool.phones.get_mut(phone) else {
            return ((), Vec::new());
        };
        phone.seen(now);
        if let Some(cards) = &device.sim_cards {
            phone.record.sims = with_numbers(wire::sims(cards), &phone.record.sims);
        }
        ((), vec![kept(&phone.record)])
    });
    shared.bell.notify_one();
    done(all_kept(acts).await, HookAnswer::empty(204))
}

/// The cards, with the numbers that were known of them in full where they are masked now and end
/// alike.
fn with_numbers(mut cards: Vec<SimCard>, known: &[SimCard]) -> Vec<SimCard> {
    for card in &mut cards {
        let before = known.iter().find(|it| it.number == card.number);
        let full = before.and_then(|it| it.phone_number.as_deref());
        let end = card.phone_number.as_deref().unwrap_or_default();
        if let Some(full) = full.filter(|it| !it.contains('*'))
            && end.contains('*')
            && full.ends_with(end.trim_start_matches('*'))
        {
            card.phone_number = Some(full.into());
        }
    }
    cards
}

async fn messages(shared: &Arc<Shared>, phone: &str) -> HookAnswer {
    shared.act(|pool, now| ((), seen(pool, phone, now)));
    polling::offers(shared, phone).await;
    // Just before a phone gets it.
    shared.stop_withdrawn();
    let (answer, _) = shared.act(|pool, now| {
        let config = pool.config.clone();
        let ahead = pool.phones.get(phone).map_or(0, |it| it.clock.ahead());
        let listed = pool.list(phone, AT_ONCE, now);
        let out: Vec<_> = listed
            .iter()
            .map(|(it, shown)| MessageOut::of(&it.handing, *shown, ahead, &config))
            .collect();
        (self::answer(200, &out), Vec::new())
    });
    answer
}

/// Notes that a phone was heard of.
fn seen(pool: &mut super::Pool, phone: &str, now: Timestamp) -> Vec<super::Act> {
    let Some(phone) = pool.phones.get_mut(phone) else {
        return Vec::new();
    };
    if phone.seen(now) {
        vec![kept(&phone.record)]
    } else {
        Vec::new()
    }
}

async fn reported(shared: &Arc<Shared>, phone: &str, call: &HookCall) -> HookAnswer {
    let reports: Vec<Report> = match body(call) {
        Ok(reports) => reports,
        Err(answer) => return answer,
    };
    let mut waits = Vec::new();
    for report in reports.iter().take(AT_ONCE) {
        let (found, kept) = shared.act(|pool, now| {
            let mut acts = seen(pool, phone, now);
            let folded = pool.report(phone, report, now);
            let found = folded.is_some();
            acts.extend(folded.unwrap_or_default());
            (found, acts)
        });
        waits.extend(kept);
        if found {
            continue;
        }
        // Settled before, or nothing that we know: then there is nothing to do, and an answer that
        // makes the phone try ten times would not help.
        let route = shared.pool.lock().config.route;
        let known = shared
            .store
            .phone_handing(route, report.id.as_str().into())
            .await;
        match known {
            Ok(Some(known)) if *known.phone == *phone => {
                let ((), kept) = shared.act(|pool, now| ((), pool.late(&known, report, now)));
                waits.extend(kept);
            }
            Ok(_) => {}
            Err(_) => return refused(503, "Try again."),
        }
    }
    shared.bell.notify_one();
    done(all_kept(waits).await, HookAnswer::empty(204))
}

async fn hooks(shared: &Arc<Shared>, phone: &str) -> HookAnswer {
    let (list, acts) = shared.act(|pool, now| {
        let base = pool.config.api_url.clone();
        let Some(phone) = pool.phones.get_mut(phone) else {
            return (Value::Array(Vec::new()), Vec::new());
        };
        phone.seen(now);
        phone.has_hooks = true;
        phone.record.hooks_at = Some(now);
        let id = &phone.record.id;
        let secret = secrets::hook_secret(phone.record.signing_key.expose());
        let list = wire::hooks(id, &format!("{base}/hook/{id}/{secret}"));
        (list, vec![kept(&phone.record)])
    });
    done(all_kept(acts).await, answer(200, &list))
}

async fn settings(shared: &Arc<Shared>, phone: &str) -> HookAnswer {
    let (settings, acts) = shared.act(|pool, now| {
        let config = pool.config.clone();
        let Some(phone) = pool.phones.get_mut(phone) else {
            return (json!({}), Vec::new());
        };
        phone.seen(now);
        phone.has_settings = true;
        phone.record.settings_at = Some(now);
        let settings = wire::settings(&config, phone.record.signing_key.expose());
        (settings, vec![kept(&phone.record)])
    });
    done(all_kept(acts).await, answer(200, &settings))
}

async fn code(shared: &Arc<Shared>, phone: &str) -> HookAnswer {
    let (pairing, acts) = shared.act(|pool, now| {
        let (pairing, act) = pool.pair(None, told::itself(phone), now);
        (pairing, vec![act])
    });
    let body = json!({ "code": &*pairing.code, "validUntil": wire::date(pairing.expires_at) });
    done(all_kept(acts).await, answer(200, &body))
}

/// A webhook of the phone. It has five seconds: everything in it is kept by then, or it comes again.
async fn heard(shared: &Arc<Shared>, phone: &str, path: &str, call: &HookCall) -> HookAnswer {
    let now = shared.clock.now();
    let (key, cards) = {
        let pool = shared.pool.lock();
        let Some(known) = pool.phones.get(phone) else {
            return refused(401, "This phone was sent away.");
        };
        let record = &known.record;
        (record.signing_key.clone(), record.sims.clone())
    };
    let secret = hook(path).map_or("", |it| it.1);
    let timestamp = call.header("x-timestamp").unwrap_or_default();
    let signature = call.header("x-signature");
    let expected = secrets::hook_secret(key.expose());
    let is_ours = crate::web::signature::shared_secret(&expected, Some(secret)).is_ok();
    if !is_ours || inbound::check(key.expose(), &call.body, timestamp, signature).is_err() {
        tracing::warn!(phone, "a webhook of a phone has a wrong signature");
        return refused(401, "The signature is wrong.");
    }
    if let Some(said) = inbound::signed_at(timestamp) {
        shared.pool.lock().signed(phone, said, now);
    }
    let by = Reader {
        phone,
        cards: &cards,
        known: &|ending| shared.pool.lock().person(ending),
    };
    let Some(told) = inbound::read(by, &call.body, now) else {
        return refused(400, "This is no event.");
    };
    let mut waits = Vec::new();
    match told {
        // It would come again for days, and be no better: it is told, and answered as done.
        Told::Stranger => tracing::warn!(
            phone,
            "a message to a phone was left out: its sender is no number that can be answered"
        ),
        Told::Nothing(why) => tracing::info!(phone, why, "a webhook of a phone tells nothing"),
        Told::Health(health) => {
            let ((), kept) = shared.act(|pool, _| {
                (
                    (),
                    with_record(pool, phone, |record| {
                        record.health = Some(health);
                    }),
                )
            });
            waits.extend(kept);
        }
        Told::Cards(cards) => {
            let ((), kept) = shared.act(|pool, _| {
                (
                    (),
                    with_record(pool, phone, |record| {
                        if !cards.is_empty() {
                            record.sims = cards;
                        }
                    }),
                )
            });
            waits.extend(kept);
        }
        Told::Message { message, sim } => {
            let (told, is_kept) = oneshot::channel();
            let from = message.from.clone();
            // Nobody waits any more where the phone has hung up.
            let ack = Box::new(move |heard| {
                told.send(heard == Heard::Kept).ok();
            });
            shared.events.inbound(*message, ack);
            waits.push(is_kept);
            let phone: Arc<str> = phone.into();
            shared.act(|pool, now| ((), vec![pool.know(&from, &phone, sim, now)]));
        }
    }
    shared.act(|pool, now| ((), seen(pool, phone, now)));
    shared.bell.notify_one();
    done(all_kept(waits).await, HookAnswer::empty(200))
}

fn with_record(
    pool: &mut super::Pool,
    phone: &str,
    change: impl FnOnce(&mut ports::store::phones::PhoneRecord),
) -> Vec<super::Act> {
    let Some(phone) = pool.phones.get_mut(phone) else {
        return Vec::new();
    };
    change(&mut phone.record);
    vec![kept(&phone.record)]
}

/// Asks for what was received while we did not hear the phone; it leaves out what it told before.
fn export(since: Timestamp, until: Timestamp) -> PhoneEvent {
    let earliest = until.as_millis() - GAP_MAX.get();
    let since = Timestamp::from_millis(since.as_millis().max(earliest) - 60_000);
    let data = json!({
        "since": wire::date(since),
        "until": wire::date(until),
        "messageTypes": "SMS,MMS",
        "triggerWebhooks": "true",
        "webhookDelivery": "Individual",
    });
    PhoneEvent {
        name: "MessagesExportRequested",
        data: data.to_string().into(),
    }
}

/// An open stream. It is counted while it is held.
struct Stream {
    phone: Arc<str>,
    /// What it is told first, last in front.
    first: Vec<PhoneEvent>,
    rest: broadcast::Receiver<PhoneEvent>,
    stopped: watch::Receiver<bool>,
    shared: Arc<Shared>,
}

impl PhoneEvents for Stream {
    fn next(&mut self) -> Pending<'_, Option<PhoneEvent>> {
        Box::pin(async move {
            if let Some(first) = self.first.pop() {
                return Some(first);
            }
            tokio::select! {
                heard = self.rest.recv() => match heard {
                    Ok(event) => Some(event),
                    Err(broadcast::error::RecvError::Lagged(_)) => Some(enqueued()),
                    // The phone was sent away.
                    Err(broadcast::error::RecvError::Closed) => None,
                },
                _ = self.stopped.wait_for(|it| *it) => None,
            }
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let now = self.shared.clock.now();
        if let Some(phone) = self.shared.pool.lock().phones.get_mut(&self.phone) {
            phone.streams = phone.streams.saturating_sub(1);
            phone.record.seen_at = phone.record.seen_at.max(now);
        }
        self.shared.bell.notify_one();
    }
}
