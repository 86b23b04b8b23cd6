//! What a provider charges takes the place of our estimate (R-COST-1). Rare: only where its count of
//! segments or its price differs from ours, so that the message is read for it.

use std::sync::Arc;

use domain::model::attempt::Attempt;
use domain::model::channel::Channel;
use domain::model::content::PriceCategory;
use domain::model::money::Micros;
use domain::model::quota::Use;
use domain::model::route::Route;
use domain::model::tariff::{NamedVolumes, Volumes};
use domain::rules::cost::{Size, price_of};
use domain::rules::window::{whatsapp_form, window};
use domain::time::Timestamp;
use ports::connector::{Bill, SubmissionKey};
use ports::store::Op;
use ports::store::messages::Outbound;
use ports::store::operations::Billed;

use crate::templates::Usable;
use crate::{Inner, settle};

/// Books what the provider says.
pub(crate) async fn settle(inner: &Arc<Inner>, route: &Route, key: SubmissionKey, bill: Bill) {
    let outbound = match inner.store.outbound(key.message).await {
        Ok(Some(outbound)) => outbound,
        Ok(None) => return,
        Err(error) => {
            tracing::error!(%error, "the provider's price is not kept");
            return;
        }
    };
    let attempts = &outbound.progress.attempts;
    let Some(attempt) = attempts.iter().find(|it| it.no == key.attempt) else {
        return;
    };
    if let Some(segments) = bill.segments.filter(|it| *it != attempt.parts) {
        metrics::counter!("tandem_segments_mismatch_total", "route" => route.id.to_string())
            .increment(1);
        tracing::debug!(message = %key.message, segments, ours = attempt.parts,
            "the provider counts other segments");
    }
    let Some(cost) = bill
        .amount
        .or_else(|| repriced(inner, &outbound, attempt, route, bill))
    else {
        return;
    };
    let op = Op::Billed(Billed {
        message: key.message,
        attempt: key.attempt,
        route: route.key,
        cost,
        at: inner.now(),
        epoch: inner.epoch,
    });
    let after_commit = {
        let inner = Arc::clone(inner);
        move |result| settle::follow(&inner, result)
    };
    inner.store.commit(op, Box::new(after_commit));
}

/// Our price for the provider's count of segments: on the address that the attempt went to, as what
/// it was charged, and at its own place in the volume of its month.
fn repriced(
    inner: &Inner,
    outbound: &Outbound,
    attempt: &Attempt,
    route: &Route,
    bill: Bill,
) -> Option<Micros> {
    let at = attempt.sent_at.unwrap_or_else(|| inner.now());
    let to = &outbound.message.to;
    let to = outbound.facts.address_on(attempt.channel, to).unwrap_or(to);
    let segments = bill.segments?;
    // However a provider counts an MMS, it is one.
    let is_mms = attempt.channel == Channel::Sms && outbound.message.content.fits_mms();
    // What was sent before the price went by volume has no place in it, and keeps its estimate.
    let has_no_place = attempt.used_before.is_none();
    if has_no_place && route.goes_by_volume() {
        return None;
    }
    let used_before = attempt.used_before.unwrap_or_default();
    let used = Use {
        messages: used_before,
        segments: used_before,
        ..Use::NONE
    };
    let named = attempt.volume.map(|it| (it, used));
    let named = NamedVolumes::new(Arc::new(named.into_iter().collect()));
    let carried = Volumes {
        whole: used,
        named: &named,
    };
    let price = |category, segments| {
        let size = if is_mms {
            Size::Mms
        } else {
            Size::Segments(segments)
        };
        price_of(route, to, category, size, at, carried)
    };
    let categories = match attempt.channel {
        Channel::WhatsApp => categories(inner, outbound, at).map(Some).to_vec(),
        Channel::Sms | Channel::Telegram | Channel::Email => vec![None],
    };
    // The estimate was made with the category that was charged, or by an earlier bill.
    let fits = |category: &Option<PriceCategory>| {
        let made = |count| price(*category, count).map(|it| it.amount);
        [attempt.parts, segments]
            .into_iter()
            .any(|count| made(count) == Some(attempt.estimated_cost))
    };
    let charged = categories.iter().find(|it| fits(it));
    let category = charged.or_else(|| categories.first())?;
    Some(price(*category, segments)?.amount)
}

/// What a message on WhatsApp can have been charged as at `at`, the likeliest first: its form then,
/// with its template, or its sender's, as that stands now.
fn categories(inner: &Inner, outbound: &Outbound, at: Timestamp) -> [PriceCategory; 3] {
    let content = &outbound.message.content;
    let mut facts = outbound.facts.clone();
    // What the person wrote afterwards opened no window for it.
    let opened = &mut facts.thread.whatsapp_window_from;
    *opened = opened.filter(|it| *it <= at);
    let window = window(*opened, at);
    let topology = inner.topology();
    let usable = topology
        .sender(outbound.message.sender)
        .map(|it| Usable::of(inner, content, it, &facts, at))
        .unwrap_or_default();
    let accepted = content.template.as_ref().map(|it| it.category);
    let form = whatsapp_form(content, usable.facts(), window);
    // The provider may not take the template any more.
    let now = usable.category().or(accepted);
    let likeliest = form.map_or(now, |it| Some(it.price_category()));
    let service = PriceCategory::Service;
    [
        likeliest.unwrap_or(service),
        accepted.or(now).unwrap_or(service),
        service,
    ]
}
