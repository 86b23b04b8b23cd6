//! Random sequences of operations, described so that they can be shrunk: messages, contacts and
//! versions are named by their place in what happened so far.

use domain::decision::ClassReason;
use domain::ids::{
    CampaignKey, ContactId, ConversationId, MessageId, RouteKey, SenderKey, UserId, VolumeKey,
};
use domain::model::attempt::PlannedAttempt;
use domain::model::channel::Channel;
use domain::model::consent::{ConsentChange, ConsentScope, ConsentSource};
use domain::model::contact::AddressKind;
use domain::model::failure::FailureClass;
use domain::model::message::{Campaign, Category, Purpose, TrafficClass};
use domain::model::money::Micros;
use domain::model::progress::Lane;
use domain::model::quota::{Period, Periods, Quota, QuotaUnit, Quotas, Reservation};
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::model::route::{ChargedOn, OnUnknown, PriceUnit};
use domain::model::tariff::{Tariff, Tier, Tiers};
use domain::phone::CountryCode;
use domain::rules::person::PersonAct;
use domain::time::{Millis, Timestamp};
use ports::conformance::store::kit::{self, at, phone};
use ports::store::books::Deposit;
use ports::store::consent::{Consent, ConsentSubject, Towards};
use ports::store::contacts::{ContactChange, ContactOutcome, NewAddress};
use ports::store::conversations::MarkRead;
use ports::store::messages::{IdempotencyKey, InboundMessage};
use ports::store::operations::{
    Accept, Billed, FirstStep, Interrupted, PersonStep, Plan, PlanStep, Receipt, Release, Settle,
    Start, Submitted,
};
use ports::store::{Epoch, Op, Outcome};
use proptest::prelude::*;

use super::webhook_steps;

/// One step of a script.
#[derive(Debug, Clone)]
pub(super) struct Step {
    kind: u8,
    pub(super) who: u8,
    pub(super) what: u8,
    pub(super) which: u8,
    pub(super) detail: u8,
    /// Milliseconds since the step before; may be negative.
    pause: i16,
    pub(super) is_long: bool,
}

/// Scripts of up to 60 steps.
pub(super) fn scripts() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0..37_u8,
        0..4_u8,
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
        -200..2_000_i16,
        any::<bool>(),
    )
        .prop_map(|(kind, who, what, which, detail, pause, is_long)| Step {
            kind,
            who,
            what,
            which,
            detail,
            pause,
            is_long,
        });
    proptest::collection::vec(step, 1..60)
}

/// What happened so far, by which the next step is made.
#[derive(Debug, Default)]
pub(super) struct Story {
    now: i64,
    pub(super) messages: Vec<MessageId>,
    pub(super) contacts: Vec<ContactId>,
    channels: Vec<Box<str>>,
    /// The newest version known of each message.
    versions: Vec<u32>,
}

fn pick<T: Copy>(from: &[T], which: u8) -> Option<T> {
    from.get(usize::from(which) % from.len().max(1)).copied()
}

impl Story {
    /// The operation of the next step.
    pub(super) fn tell(&mut self, step: &Step) -> Op {
        let pause = i64::from(step.pause);
        self.now += if step.is_long { pause * 3_000 } else { pause };
        let now = at(self.now);
        let message = pick(&self.messages, step.what).unwrap_or(MessageId::from_key(1));
        let version = pick(&self.versions, step.what).unwrap_or(0);
        // One in eight decides on older facts.
        let version = if step.detail % 8 == 7 {
            version.wrapping_sub(1)
        } else {
            version
        };
        let attempt = 1 + step.which % 2;
        let epoch = Epoch(0);
        match step.kind {
            0..=5 => Op::Accept(Box::new(accept(step, now))),
            6..=8 => {
                let route = route(step.detail);
                let (outcome, resolve_at) = (outcome(step), now.plus(Millis::seconds(30)));
                let at = now;
                let answer = Submitted {
                    message,
                    attempt,
                    route,
                    outcome,
                    submitted_at: at,
                    resolve_at,
                    marks_started: on_unknown(step) == OnUnknown::Fail,
                    at,
                    epoch,
                };
                Op::Submitted(Box::new(answer))
            }
            9..=12 => Op::Receipt(Box::new(receipt(step, message, now))),
            13..=14 => {
                let decision = step.is_long.then(|| kit::decision(ClassReason::Reply));
                let step = plan_step(step, now);
                Op::Plan(Box::new(Plan {
                    message,
                    version,
                    step,
                    decision,
                    at: now,
                    epoch,
                }))
            }
            15 => Op::Start(Start {
                message,
                attempt,
                epoch,
            }),
            16 => Op::Release(Release {
                message,
                attempt,
                at: now,
                epoch,
            }),
            17..=18 => {
                let on_unknown = on_unknown(step);
                Op::Settle(Settle {
                    message,
                    version,
                    on_unknown,
                    at: now,
                    epoch,
                })
            }
            19 => {
                let marks_started = on_unknown(step) == OnUnknown::Fail;
                let resolve_at = now.plus(Millis::seconds(30));
                Op::Interrupted(Interrupted {
                    message,
                    marks_started,
                    resolve_at,
                    at: now,
                    epoch,
                })
            }
            20 => Op::Inbound(Box::new(inbound(step, now))),
            21..=22 => {
                let change = Box::new(self.contact_change(step));
                Op::Contact {
                    project: kit::PROJECT,
                    change,
                    at: now,
                }
            }
            24..=25 => Op::Consent(Box::new(self.consent(step, now))),
            26 => Op::MarkRead(MarkRead {
                project: kit::PROJECT,
                conversation: ConversationId {
                    contact: pick(&self.contacts, step.what).unwrap_or(ContactId::from_key(1)),
                    sender: SenderKey(1 + u32::from(step.detail % 2)),
                },
            }),
            27..=28 => webhook_steps::change(step, now),
            29..=31 => webhook_steps::delivery(step, now),
            32 => webhook_steps::prune(step, now),
            33 => Op::Billed(Billed {
                message,
                attempt,
                route: route(step.detail),
                cost: Micros(i64::from(step.which) * 1_000),
                at: now,
                epoch,
            }),
            35 | 36 => Op::Person(PersonStep {
                project: kit::PROJECT,
                message,
                person: UserId::from_key(i64::from(step.who % 2) + 1),
                act: match step.which % 5 {
                    0..=2 => PersonAct::Take,
                    3 => PersonAct::GiveBack,
                    _ => PersonAct::Sent(RouteKey(77)),
                },
                at: now,
            }),
            34 => Op::Deposit(Deposit {
                project: kit::PROJECT,
                amount: Micros(i64::from(step.which) * 1_000 - 50_000),
                note: step.is_long.then(|| "prepaid".into()),
                at: now,
                idempotency: step.detail.is_multiple_of(2).then(|| IdempotencyKey {
                    key: (if step.is_long { "a" } else { "b" }).into(),
                    fields: vec![("amount", step.which.into())],
                }),
            }),
            _ => {
                let before = now.plus(Millis::minutes(-10));
                let limit = u16::from(step.detail % 3);
                Op::Prune {
                    keys_before: before,
                    receipts_before: before,
                    limit,
                }
            }
        }
    }

    /// More often in than out, so that the messages go on.
    fn consent(&self, step: &Step, now: Timestamp) -> Consent {
        let who = match pick(&self.contacts, step.what) {
            Some(contact) if step.which.is_multiple_of(2) => ConsentSubject::Contact(contact),
            Some(_) | None => ConsentSubject::Address(phone(step.who.into()).into()),
        };
        Consent {
            project: kit::PROJECT,
            who,
            towards: match step.which % 5 {
                0 | 1 => Towards::Project,
                2 | 3 => Towards::Senders(vec![SenderKey(1), SenderKey(2)]),
                _ => Towards::Senders(vec![SenderKey(1)]),
            },
            change: consent_change(step),
            source: ConsentSource::Api,
            channel: None,
            at: now,
        }
    }

    fn contact_change(&self, step: &Step) -> ContactChange {
        let nobody = ContactId::from_key(1);
        let contact = pick(&self.contacts, step.what).unwrap_or(nobody);
        let channel = self
            .channels
            .get(usize::from(step.which) % self.channels.len().max(1))
            .cloned()
            .unwrap_or_else(|| "ch_none".into());
        let text = |it: u8| -> Box<str> { format!("text {it}").into() };
        match step.detail % 9 {
            0 => ContactChange::Create {
                display_name: Some(text(step.which)),
                metadata: step.is_long.then(|| "{}".into()),
                addresses: (0..=step.which % 3).map(|it| address(step, it)).collect(),
            },
            1 => ContactChange::Update {
                contact,
                display_name: step.is_long.then(|| Some(text(step.which))),
                default_channel: Some((step.which > 9).then_some(AddressKind::Email)),
                metadata: step.is_long.then_some(None),
            },
            2 => ContactChange::Delete { contact },
            3 => {
                let source = pick(&self.contacts, step.which).unwrap_or(nobody);
                ContactChange::Merge {
                    target: contact,
                    source,
                }
            }
            4 | 5 => ContactChange::AddChannel {
                contact,
                address: address(step, step.which),
            },
            6 => ContactChange::UpdateChannel {
                contact,
                channel,
                label: Some(step.is_long.then(|| text(step.which))),
                verified: step.is_long.then_some(true),
                metadata: Some(None),
            },
            7 => ContactChange::MakePrimary { contact, channel },
            _ => ContactChange::RemoveChannel { contact, channel },
        }
    }

    /// Learns from an outcome.
    pub(super) fn hear(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted {
                message,
                contact,
                version,
                ..
            } => {
                self.messages.push(*message);
                self.versions.push(*version);
                self.contacts.push(*contact);
            }
            Outcome::ConsentKept { contact, .. } => self.contacts.push(*contact),
            Outcome::InboundKept {
                message, contact, ..
            } => {
                self.messages.push(*message);
                self.versions.push(0);
                self.contacts.push(*contact);
            }
            Outcome::Changed(changed) => {
                let place = self.messages.iter().position(|it| *it == changed.message);
                if let Some(version) = place.and_then(|it| self.versions.get_mut(it)) {
                    *version = changed.version;
                }
            }
            Outcome::Contact(ContactOutcome::Done(view)) => {
                self.contacts.push(view.id);
                self.channels
                    .extend(view.channels.iter().map(|it| it.id.clone()));
            }
            Outcome::AlreadyAccepted { .. }
            | Outcome::AlreadyDeposited { .. }
            | Outcome::OptedOut
            | Outcome::PersonRefused(_)
            | Outcome::QuotaGone(_)
            | Outcome::ReceiptParked
            | Outcome::InboundRepeated { .. }
            | Outcome::Contact(_)
            | Outcome::Template(_)
            | Outcome::Done
            | Outcome::Missing
            | Outcome::Stale
            | Outcome::Fenced
            | Outcome::Webhook(_)
            | Outcome::Replayed { .. }
            | Outcome::EventsPruned { .. }
            | Outcome::User(_) => {}
        }
        self.contacts.sort_unstable();
        self.contacts.dedup();
    }
}

fn receipt(step: &Step, message: MessageId, now: Timestamp) -> Receipt {
    let mut references = vec![name(step.what)];
    match step.detail % 5 {
        0 => references.clear(),
        1 => references.push(name(step.which)),
        _ => {}
    }
    let state = match step.which % 6 {
        0 => ReceiptState::InTransit,
        1..=3 => ReceiptState::Delivered,
        4 => ReceiptState::Read,
        _ => ReceiptState::Failed(kit::failure(class(step.detail))),
    };
    Receipt {
        route: route(step.detail),
        references,
        ours: (step.detail.is_multiple_of(3)).then_some((message, 1 + step.which % 2)),
        recipient: step.is_long.then(|| phone(step.who.into()).into()),
        whole: step.is_long,
        state,
        marks_started: on_unknown(step) == OnUnknown::Fail,
        raw: format!("raw {}", step.detail).into(),
        at: now,
    }
}

fn address(step: &Step, nth: u8) -> NewAddress {
    let kind = AddressKind::ALL[usize::from(step.what.wrapping_add(nth)) % AddressKind::ALL.len()];
    let last = u32::from(step.who.wrapping_add(nth) % 5);
    let identifier = if kind.is_phone() {
        phone(last).as_str().into()
    } else {
        format!("{}-{last}", kind.code()).into()
    };
    NewAddress {
        kind,
        identifier,
        is_primary: step.is_long,
        label: None,
    }
}

fn route(detail: u8) -> RouteKey {
    if detail % 4 == 3 {
        kit::WHATSAPP
    } else {
        kit::SMS
    }
}

/// One of a few names, so that they meet.
fn name(which: u8) -> Box<str> {
    format!("ref-{}", which % 6).into()
}

fn class(detail: u8) -> FailureClass {
    FailureClass::ALL[usize::from(detail) % FailureClass::ALL.len()]
}

fn on_unknown(step: &Step) -> OnUnknown {
    if step.is_long {
        OnUnknown::Resend
    } else {
        OnUnknown::Fail
    }
}

fn planned(step: &Step, now: Timestamp) -> PlannedAttempt {
    let channel = if step.which.is_multiple_of(2) {
        Channel::Sms
    } else {
        Channel::WhatsApp
    };
    let mut planned = kit::planned(channel, route(step.detail));
    planned.parts = 1 + u16::from(step.what.is_multiple_of(3));
    planned.receipts = !step.what.is_multiple_of(7);
    planned.country = CountryCode::parse(if step.is_long { "RO" } else { "DE" });
    if step.who == 0 {
        planned.charged_on = ChargedOn::Delivery;
    }
    planned.reservation = reservation(now);
    // Some count by themselves.
    planned.reservation.volume =
        [None, Some(VolumeKey(7)), Some(VolumeKey(u32::MAX))][usize::from(step.detail) % 3];
    planned
}

/// Small quotas and tiers, so that they are met.
fn reservation(at: Timestamp) -> Reservation {
    let began =
        |span: Millis| Timestamp::from_millis(at.as_millis().div_euclid(span.get()) * span.get());
    let quota = |per, unit, limit| Quota { per, unit, limit };
    Reservation {
        at,
        periods: Periods {
            hour: began(Millis::hours(1)),
            day: began(Millis::days(1)),
            month: began(Millis::days(30)),
            until: began(Millis::hours(1)).plus(Millis::hours(1)),
        },
        route: Quotas::new([
            quota(Period::Hour, QuotaUnit::Segments, 4),
            quota(Period::Day, QuotaUnit::Messages, 5),
        ]),
        share_percent: 100,
        project: Quotas::new([quota(Period::Month, QuotaUnit::Spend, 250_000)]),
        volume: None,
        tariff: Some(Tariff {
            amount: Micros(35_000),
            tiers: Tiers::new([(2, 20_000), (5, 60_000)].map(|it| Tier {
                above: it.0,
                amount: Micros(it.1),
            })),
            unit: PriceUnit::Segment,
        }),
    }
}

fn lane(step: &Step) -> Lane {
    let class = if step.is_long {
        TrafficClass::Bulk
    } else {
        TrafficClass::Direct
    };
    Lane {
        route: route(step.detail),
        class,
    }
}

fn plan_step(step: &Step, now: Timestamp) -> PlanStep {
    match step.which % 4 {
        0 => PlanStep::Start(planned(step, now)),
        1 => PlanStep::Continue(planned(step, now)),
        2 => PlanStep::Wait(lane(step)),
        _ => PlanStep::Fail(kit::failure(class(step.detail))),
    }
}

fn accept(step: &Step, now: Timestamp) -> Accept {
    let first = match step.which % 5 {
        0 => FirstStep::Wait(lane(step)),
        1 => FirstStep::Schedule(now.plus(Millis::seconds(i64::from(step.detail)))),
        _ => FirstStep::Send(planned(step, now)),
    };
    let mut accept = kit::first(first, phone(step.who.into()), now);
    accept.message.sender = SenderKey(1 + u32::from(step.detail % 2));
    if step.what.is_multiple_of(3) {
        accept.message.purpose = Purpose::KeywordAnswer;
    }
    if step.what.is_multiple_of(5) {
        accept.message.category = Category::Promotional;
    }
    accept.message.campaign = (step.detail.is_multiple_of(3)).then(|| Campaign {
        key: CampaignKey(1 + u32::from(step.what % 2)),
        name: format!("campaign {}", step.what % 2).into(),
    });
    accept.message.scheduled_at =
        (step.detail.is_multiple_of(9)).then(|| now.plus(Millis::new(500)));
    accept.fallback.enabled = !step.detail.is_multiple_of(6);
    accept.fallback.after = (step.detail.is_multiple_of(4)).then(|| Millis::seconds(60));
    accept.expires_at = now.plus(Millis::minutes(if step.is_long { 60 } else { 2 }));
    accept.idempotency = (step.what.is_multiple_of(4)).then(|| IdempotencyKey {
        key: format!("key-{}", step.what % 16).into(),
        fields: vec![
            ("to", step.who.into()),
            ("text", u64::from(step.detail % 2)),
        ],
    });
    accept
}

fn outcome(step: &Step) -> SubmitOutcome {
    let references = vec![
        PartReference {
            part: 0,
            reference: name(step.what),
        },
        PartReference {
            part: 1,
            reference: name(step.what.wrapping_add(1)),
        },
    ];
    let one = references[..1].to_vec();
    let failure = kit::failure(class(step.detail));
    match step.which % 8 {
        0..=2 => SubmitOutcome::Accepted { references },
        3 => SubmitOutcome::Accepted { references: one },
        4 => {
            let retriable = step.is_long;
            SubmitOutcome::PartlyAccepted {
                references: one,
                failure,
                retriable,
            }
        }
        5 => SubmitOutcome::NotAccepted(failure),
        6 => SubmitOutcome::Rejected(failure),
        _ => SubmitOutcome::Unknown {
            references: Vec::new(),
        },
    }
}

fn inbound(step: &Step, now: Timestamp) -> InboundMessage {
    let channel = if step.which.is_multiple_of(2) {
        Channel::Sms
    } else {
        Channel::WhatsApp
    };
    let id = format!("in-{}", step.what % 5);
    let mut inbound = kit::written(phone(step.who.into()), channel, &id, now);
    if step.detail.is_multiple_of(3) {
        inbound.provider_id = None;
    }
    if step.detail.is_multiple_of(4) {
        inbound.consent = Some(consent_change(step));
    }
    inbound
}

fn consent_change(step: &Step) -> ConsentChange {
    ConsentChange {
        opted_out: step.detail.is_multiple_of(8),
        scope: if step.is_long {
            ConsentScope::Promotions
        } else {
            ConsentScope::Everything
        },
        only_if_out: step.detail % 16 == 4,
        wording: format!("word {}", step.which).into(),
    }
}
