//! What a provider charges takes the place of our estimate (R-COST-1). Rare: only where its count of
//! segments or its price differs from ours, so that the message is read for it.

use std::sync::Arc;

use domain::model::attempt::Attempt;
use domain::model::channel::Channel;
use domain::model::content::PriceCategory;
use domain::model::money::Micros;
use domain::model::route::Route;
use domain::rules::cost::price_of;
use ports::connector::{Bill, SubmissionKey};
use ports::store::Op;
use ports::store::messages::Outbound;
use ports::store::operations::Billed;

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
        .or_else(|| repriced(&outbound, attempt, route, bill))
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

/// Our price for the provider's count of segments.
fn repriced(outbound: &Outbound, attempt: &Attempt, route: &Route, bill: Bill) -> Option<Micros> {
    let message = &outbound.message;
    let category = match attempt.channel {
        Channel::WhatsApp => Some(
            message
                .content
                .template
                .as_ref()
                .map_or(PriceCategory::Service, |it| it.category),
        ),
        Channel::Sms | Channel::Telegram | Channel::Email => None,
    };
    let segments = bill.segments?;
    let quote = price_of(route, &message.to, category, segments, message.accepted_at)?;
    Some(quote.amount)
}
