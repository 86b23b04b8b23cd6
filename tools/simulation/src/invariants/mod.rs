//! What must always hold? Each file has one subject. What the providers saw and what was made durable is
//! the truth; what the store says at the end is compared with it.

mod alerts;
mod consent;
mod copies;
mod counts;
mod ends;
mod events;
mod money;
mod order;
pub(crate) mod quotas;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::MessageId;
use domain::model::address::Address;
use domain::model::attempt::PartSet;
use domain::model::message::Direction;
use domain::model::receipt::ReceiptState;
use ports::conformance::store::kit::ask;
use ports::connector::SubmissionKey;
use ports::store::Store;
use ports::store::messages::{MessageFilter, Outbound};

use crate::chronicle::{Chronicle, Handed, Report, Told};
use crate::scenery::PROJECT;
use crate::stage::Stage;

/// Everything as it is at the end.
pub(crate) struct End<'a> {
    stage: &'a Stage,
    store: &'a dyn Store,
    /// Every message to a person, as the store has it.
    outbound: BTreeMap<MessageId, Outbound>,
}

/// Checks everything that must hold once all is over.
pub(crate) fn at_the_end(stage: &Stage, store: &dyn Store) {
    let end = End {
        stage,
        store,
        outbound: outbound(store),
    };
    let mut chronicle = stage.chronicle.lock();
    chronicle.hear_events(store);
    for check in [
        ends::check,
        copies::check,
        consent::check,
        order::check,
        quotas::at_the_end,
        volumes::check,
        money::check,
        counts::check,
        events::check,
        alerts::check,
    ] {
        check(&end, &mut chronicle);
    }
}

fn outbound(store: &dyn Store) -> BTreeMap<MessageId, Outbound> {
    let mut all = BTreeMap::new();
    let mut before = None;
    loop {
        let filter = MessageFilter {
            project: PROJECT,
            status: None,
            to: None,
            channel: None,
            conversation: None,
            before,
            limit: 500,
        };
        let page = ask(store.messages(filter));
        let Some(last) = page.last() else { return all };
        before = Some(last.id);
        for view in page.iter().filter(|it| it.direction == Direction::Outbound) {
            all.insert(view.id, ask(store.outbound(view.id)).unwrap());
        }
    }
}

impl Handed {
    /// Whether it may be that the engine does not know what became of it.
    fn is_doubtful(&self) -> bool {
        matches!(self.told, None | Some(Told::Unknown))
    }
}

impl Chronicle {
    /// What was handed over of a message, in order.
    fn handed_of(&self, message: MessageId) -> impl Iterator<Item = (usize, &Handed)> {
        let all = self.handed.iter().enumerate();
        all.filter(move |it| it.1.key.message == message)
    }

    /// The receipts for something that was handed over.
    fn reports_of(&self, handed: usize) -> impl Iterator<Item = &Report> {
        self.reports.iter().filter(move |it| it.handed == handed)
    }

    /// Whether a receipt can be known to be for what it is for: by a name that was told, or by ours.
    fn is_sure(&self, stage: &Stage, report: &Report) -> bool {
        let handed = &self.handed[report.handed];
        let names_ours = stage.scenery.tempers[&handed.route].names_ours;
        let has_name = matches!(handed.told, Some(Told::Accepted | Told::Partly));
        let can_be_known = has_name || names_ours;
        let is_stolen = report.taken_for.is_some_and(|it| it != handed.key.message);
        report.kept.is_some()
            && !is_stolen
            && !self.is_muddled(stage, handed)
            && (can_be_known || report.taken_for.is_some())
    }

    /// Whether a receipt under a name that is not known, for one part of a long message, may be taken for
    /// another part: where the provider has our name for the message, or the answer was lost.
    fn is_muddled(&self, stage: &Stage, handed: &Handed) -> bool {
        let temper = stage.scenery.tempers[&handed.route];
        let theirs = || self.handed_of(handed.key.message).map(|it| it.1);
        let is_long = theirs().any(|it| it.parts > 1);
        let is_named = temper.names_ours || theirs().any(Handed::is_doubtful);
        is_long && is_named && !temper.takes_whole
    }

    /// The parts of an attempt that are surely known to have arrived; all, where it was read.
    fn arrived(&self, stage: &Stage, key: SubmissionKey) -> (BTreeSet<u16>, u16) {
        let mut parts = BTreeSet::new();
        let mut all = 1;
        for (no, handed) in self.handed_of(key.message) {
            if handed.key != key {
                continue;
            }
            all = handed.parts;
            for report in self.reports_of(no).filter(|it| self.is_sure(stage, it)) {
                match report.state {
                    ReceiptState::Read => parts.extend(0..all),
                    ReceiptState::Delivered if report.part == PartSet::WHOLE => {
                        parts.extend(0..all);
                    }
                    ReceiptState::Delivered => parts.extend([report.part]),
                    ReceiptState::InTransit | ReceiptState::Failed(_) => {}
                }
            }
        }
        (parts, all)
    }

    /// Whether a provider says of anything on this route to this person, of which nobody knows, that it
    /// arrived: it may have been taken for another (R-DUP).
    fn may_be_taken_for(&self, stage: &Stage, message: MessageId, to: &Address) -> bool {
        if self
            .handed_of(message)
            .any(|it| self.is_muddled(stage, it.1))
        {
            return true;
        }
        let routes: BTreeSet<_> = self.handed_of(message).map(|it| it.1.route).collect();
        self.reports.iter().any(|report| {
            let handed = &self.handed[report.handed];
            if report.taken_for == Some(message) {
                return true;
            }
            let arrived = matches!(report.state, ReceiptState::Delivered | ReceiptState::Read);
            arrived && handed.to == *to && routes.contains(&handed.route) && handed.is_doubtful()
        })
    }

    /// Whether the process ever died with this message in hand, which counts as a doubt.
    fn was_interrupted(&self, message: MessageId) -> bool {
        let steps = self.steps.get(&message).map(Vec::as_slice);
        let steps = steps.unwrap_or_default();
        steps.iter().any(|it| it.by == "interrupted")
    }
}
