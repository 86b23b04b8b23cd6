//! The state of a pool: its phones, and what each holds. No I/O: time is an argument, and what is to
//! be done about it is a list of [`Act`]s.
//!
//! A message is handed to one phone, under an id of its own, and may leave that phone for another
//! route only when it is certain that the phone will not send it (R-PHONE-3): it was never given
//! out, or the phone says so, or its validity is over, by any clock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use domain::model::address::Address;
use domain::model::attempt::PartSet;
use domain::model::audit::{Actor, AuditEntry};
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::{PartReference, SubmitOutcome};
use domain::phone::PhoneNumber;
use domain::time::{Millis, Timestamp};
use ports::connector::{IncomingReceipt, LinkState, Slots, Submission, SubmissionKey};
use ports::phones::{ALL_AT_LIMIT, ALL_REST, PhoneEvent};
use ports::store::phones::{
    Handing, HandingState, PairingRecord, PhoneBook, PhoneChange, PhonePeer,
};

use super::config::{CLOCK_MARGIN, SmsGateConfig};
use super::phone::{Phone, Use, WAKE_PAUSE};
use super::reports::presumed;
use super::select::{Card, choose};

/// People of whom is remembered which phone they know; the longest silent are forgotten first.
pub(super) const PEERS: usize = 10_000;
/// How long a phone may have a message without a word on it, before it is asked not to send it.
const WORD_WITHIN: Millis = Millis::seconds(60);
/// How long after a phone gave a message to Android its outcome is waited for. Without it, it counts
/// as sent: it may have left, so it is not sent again.
const RESULT_WITHIN: Millis = Millis::seconds(60);
/// How long after a start a phone is waited for with what was handed before. It connects again after a
/// minute at the latest, and what it did while nobody was there to hear it comes with its first pull.
const RETURN_WITHIN: Millis = Millis::minutes(2);

/// What is to be done.
#[derive(Debug)]
pub(super) enum Act {
    /// Keep this.
    Keep(PhoneChange),
    /// Keep this, and that somebody did it.
    Told(PhoneChange, Box<AuditEntry>),
    /// Keep what is handed; the phone may see it only then.
    Hand(Box<Handing>),
    /// The outcome of a submission.
    Submitted(SubmissionKey, SubmitOutcome),
    /// A submission that certainly did not leave.
    Returned(SubmissionKey),
    /// A receipt.
    Receipt(Box<IncomingReceipt>),
    /// Whether any phone can send.
    Link(LinkState),
}

/// Whether what is handed is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keeping {
    /// Not yet.
    Waits,
    /// It is.
    Kept,
    /// It could not be.
    Lost,
}

/// What the engine is still to be told of something that was handed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owed {
    /// Its outcome: the engine waits for it.
    Outcome,
    /// Whatever becomes of it; nobody waits, and nothing is known.
    Word,
    /// Nothing, unless more becomes of it: it counts as sent.
    Nothing,
}

/// What a phone may still send.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) handing: Handing,
    /// Whether it is kept, so that it may be given out.
    pub(super) keeping: Keeping,
    /// Whether it was ever given out.
    pub(super) listed: bool,
    /// Whether the phone is to say how far it is: we, or it, were away, and its word may be lost or late.
    pub(super) asked: bool,
    /// What the engine is still to be told of it.
    pub(super) owed: Owed,
    /// When something last happened to it.
    pub(super) moved_at: Timestamp,
    /// Until then it stays with its phone, whatever its validity.
    pub(super) spared_until: Timestamp,
    /// Whether it was shown to the phone as too late, so that it may say so.
    pub(super) shown_late: bool,
    /// For a clock how far ahead its validity was written, at the most, in milliseconds; nothing before.
    pub(super) written_ahead: Option<i64>,
    /// How much later than its validity the phone may send it because of its clock.
    pub(super) late_by: i64,
}

impl Open {
    pub(super) fn key(&self) -> SubmissionKey {
        SubmissionKey {
            message: self.handing.message,
            attempt: self.handing.attempt,
        }
    }

    /// Whether the engine waits for its outcome.
    pub(super) fn is_owed(&self) -> bool {
        self.owed == Owed::Outcome
    }
}

/// A pool.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) config: SmsGateConfig,
    pub(super) phones: BTreeMap<Arc<str>, Phone>,
    pub(super) open: BTreeMap<Box<str>, Open>,
    pub(super) pairings: BTreeMap<[u8; 32], PairingRecord>,
    /// Who made them, of those since the start.
    pub(super) invited: BTreeMap<[u8; 32], Actor>,
    /// When six digits were wrong.
    pub(super) guesses: VecDeque<Timestamp>,
    pub(super) peers: HashMap<Address, PhonePeer>,
    told: Option<LinkState>,
    pub(super) closing: bool,
}

impl Pool {
    pub(super) fn new(config: SmsGateConfig) -> Self {
        Self {
            config,
            phones: BTreeMap::new(),
            open: BTreeMap::new(),
            pairings: BTreeMap::new(),
            invited: BTreeMap::new(),
            guesses: VecDeque::new(),
            peers: HashMap::new(),
            told: None,
            closing: false,
        }
    }

    /// Takes over what was kept. Whatever was handed may have been given out, and sent: its phone is
    /// asked, and waited for.
    pub(super) fn load(&mut self, book: PhoneBook, now: Timestamp) {
        for record in book.phones {
            self.phones
                .insert(Arc::clone(&record.id), Phone::new(record));
        }
        for used in book.uses {
            if let Some(phone) = self.phones.get_mut(&used.phone) {
                phone.uses.push_back(Use {
                    handing: "".into(),
                    sim: used.sim,
                    at: used.at,
                    parts: used.parts,
                });
            }
        }
        self.pairings = book
            .pairings
            .into_iter()
            .map(|it| (it.token_hash, it))
            .collect();
        self.peers = book
            .peers
            .into_iter()
            .map(|it| (it.address.clone(), it))
            .collect();
        for handing in book.open {
            let open = Open {
                keeping: Keeping::Kept,
                listed: true,
                asked: true,
                owed: Owed::Word,
                moved_at: now,
                spared_until: now.plus(RETURN_WITHIN),
                shown_late: false,
                written_ahead: Some(0),
                late_by: 0,
                handing,
            };
            self.open.insert(open.handing.id.clone(), open);
        }
    }

    /// The room for submissions now.
    pub(super) fn slots(&self, now: Timestamp) -> Slots {
        let (mut free, mut window) = (0_u16, 0_u16);
        if !self.closing {
            for phone in self.phones.values() {
                let cards = self.cards_of(phone, now);
                let room = cards.iter().map(|it| it.room).max().unwrap_or(0);
                let takes = cards
                    .iter()
                    .fold(0_u16, |sum, it| sum.saturating_add(it.takes()));
                free = free.saturating_add(takes.min(room));
                window = window.saturating_add(self.config.window);
            }
        }
        Slots {
            free,
            window,
            links: 1,
        }
    }

    /// Whether a phone takes something now.
    pub(super) fn takes(&self, phone: &Phone, now: Timestamp) -> bool {
        self.cards_of(phone, now).iter().any(|it| it.takes() > 0)
    }

    fn cards_of(&self, phone: &Phone, now: Timestamp) -> Vec<Card> {
        phone.cards(&self.config, self.held_by(&phone.record.id), now)
    }

    /// Parts that a phone holds.
    pub(super) fn held_by(&self, phone: &str) -> u16 {
        let held = self.open.values().filter(|it| *it.handing.phone == *phone);
        held.fold(0, |sum, it| sum.saturating_add(it.handing.parts))
    }

    /// Hands a submission to a phone; `id` is new. One that a phone has still, from before an
    /// interruption, stays where it is.
    pub(super) fn place(&mut self, it: &Submission, id: Box<str>, now: Timestamp) -> Vec<Act> {
        if let Some(open) = self.open.values_mut().find(|open| open.key() == it.key) {
            open.owed = Owed::Outcome;
            return Vec::new();
        }
        let Some(text) = it.content.plain_text() else {
            let why = "A phone sends text only.";
            let failure = Failure::new(FailureClass::InvalidRequest, "no_text", why);
            return vec![Act::Submitted(it.key, SubmitOutcome::Rejected(failure))];
        };
        let mut valid_until = now.plus(self.config.hold).min(it.expires_at);
        if let Some(validity) = it.validity {
            valid_until = valid_until.min(now.plus(validity));
        }
        let cards: Vec<_> = self
            .phones
            .values()
            .flat_map(|phone| self.cards_of(phone, now))
            .collect();
        let known = self.peers.get(&it.to).map(|peer| (&*peer.phone, peer.sim));
        let window = self.config.window;
        let chosen = choose(&cards, it.parts, window, known).filter(|_| valid_until > now);
        let Some(card) = chosen else {
            return vec![Act::Returned(it.key)];
        };
        let handing = Handing {
            id,
            route: self.config.route,
            phone: Arc::clone(&card.phone),
            sim: card.sim,
            message: it.key.message,
            attempt: it.key.attempt,
            to: it.to.clone(),
            text: text.into(),
            parts: it.parts,
            state: HandingState::Offered,
            cancelling: false,
            handed_at: now,
            valid_until,
        };
        if let Some(phone) = self.phones.get_mut(&card.phone) {
            let used = Use {
                handing: handing.id.clone(),
                sim: card.sim,
                at: now,
                parts: it.parts,
            };
            phone.note(used, now);
        }
        let open = Open {
            handing: handing.clone(),
            keeping: Keeping::Waits,
            listed: false,
            asked: false,
            owed: Owed::Outcome,
            moved_at: now,
            spared_until: now,
            shown_late: false,
            written_ahead: None,
            late_by: 0,
        };
        let peer = self.know(&it.to, &handing.phone, handing.sim, now);
        self.open.insert(handing.id.clone(), open);
        vec![Act::Hand(Box::new(handing)), peer]
    }

    /// Remembers whom a person exchanges messages with.
    pub(super) fn know(
        &mut self,
        person: &Address,
        phone: &Arc<str>,
        sim: Option<u8>,
        now: Timestamp,
    ) -> Act {
        let peer = PhonePeer {
            route: self.config.route,
            address: person.clone(),
            phone: Arc::clone(phone),
            sim,
            at: now,
        };
        if self.peers.len() >= PEERS && !self.peers.contains_key(person) {
            let oldest = self.peers.values().min_by_key(|it| it.at);
            if let Some(oldest) = oldest.map(|it| it.address.clone()) {
                self.peers.remove(&oldest);
            }
        }
        self.peers.insert(person.clone(), peer.clone());
        Act::Keep(PhoneChange::Peer(Box::new(peer)))
    }

    /// The one person whose number ends with these digits, of those that the phones know.
    pub(super) fn person(&self, ending: &str) -> Option<PhoneNumber> {
        let numbers = self.peers.keys().filter_map(Address::phone);
        let mut its = numbers.filter(|it| it.digits().ends_with(ending));
        let person = its.next()?;
        its.next().is_none().then_some(*person)
    }

    /// Lets go of a phone for good. What it holds it is told not to send, should it still hear; its
    /// word on that is not: its token opens nothing from here on.
    pub(super) fn send_away(&mut self, phone: &str) -> Option<Phone> {
        let phone = self.phones.remove(phone)?;
        let its = self.open.iter_mut();
        let ahead = phone.clock.ahead();
        for (id, open) in its.filter(|it| it.1.handing.phone == phone.record.id) {
            open.wait_for_clock(ahead);
            phone.tell(cancelled(id));
        }
        Some(phone)
    }

    /// What was handed is kept, or could not be.
    pub(super) fn kept(&mut self, id: &str, is_kept: bool, now: Timestamp) {
        let Some(open) = self.open.get_mut(id) else {
            return;
        };
        open.keeping = if is_kept {
            Keeping::Kept
        } else {
            Keeping::Lost
        };
        if let Some(phone) = self.phones.get_mut(&open.handing.phone)
            && is_kept
        {
            // From now on it can be fetched.
            open.moved_at = now;
            phone.wake(now);
        }
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Timestamp) -> Vec<Act> {
        let mut acts = Vec::new();
        let ids: Vec<_> = self.open.keys().cloned().collect();
        for id in ids {
            self.look_after(&id, now, &mut acts);
        }
        for phone in self.phones.values_mut() {
            phone.ring(now);
            phone.silent |= !phone.is_present(&self.config, now);
            if !phone.rests(now) {
                phone.rests_until = None;
            }
        }
        let link = self.link(now);
        if self.told.as_ref() != Some(&link) {
            self.told = Some(link.clone());
            acts.push(Act::Link(link));
        }
        acts
    }

    /// When something is due that nothing wakes for.
    pub(super) fn next_due(&mut self, now: Timestamp) -> Timestamp {
        let pause = if self.open.is_empty() { 2_000 } else { 250 };
        let rings = self.phones.values_mut().filter_map(|it| it.ring(now));
        rings.fold(now.plus(Millis::new(pause)), Timestamp::min)
    }

    fn look_after(&mut self, id: &str, now: Timestamp, acts: &mut Vec<Act>) {
        let Some(open) = self.open.get_mut(id) else {
            return;
        };
        let phone = self.phones.get_mut(&open.handing.phone);
        let is_present = phone
            .as_ref()
            .is_some_and(|it| it.is_present(&self.config, now));
        let keeps_on = phone
            .as_ref()
            .is_some_and(|it| it.keeps_on(&self.config, now));
        let is_spared = now < open.spared_until;
        let ahead = phone.as_ref().map_or(0, |it| it.clock.ahead());
        let margin = CLOCK_MARGIN.get() + open.wait_for_clock(ahead).get();
        let over = now >= open.handing.valid_until.plus(Millis::new(margin)) && !is_spared;
        let quiet = now.since(open.moved_at);
        let is_kept = open.keeping == Keeping::Kept;
        if open.keeping == Keeping::Lost {
            self.take_back(id, acts);
            return;
        }
        match open.handing.state {
            HandingState::Offered if !open.listed && is_kept => {
                let patience = self.config.fetch_within;
                let late = quiet >= patience;
                let over = now >= open.handing.valid_until;
                if let Some(phone) = phone {
                    phone.silent |= late || over && quiet >= WAKE_PAUSE;
                    // A wake-up may have been lost on the way.
                    if quiet.get() >= patience.get() / 2 {
                        phone.wake(now);
                    }
                }
                if late || over || !is_present {
                    self.take_back(id, acts);
                }
            }
            HandingState::Offered | HandingState::Pending if over => self.take_back(id, acts),
            HandingState::Offered | HandingState::Pending => {
                let unheard = open.handing.state == HandingState::Offered && quiet >= WORD_WITHIN;
                let asks = is_kept && !open.handing.cancelling && (!keeps_on || unheard);
                if asks && !is_spared {
                    open.handing.cancelling = true;
                    acts.push(keep(&open.handing));
                    if let Some(phone) = phone {
                        phone.tell(cancelled(id));
                    }
                }
            }
            HandingState::Processed if quiet >= RESULT_WITHIN => {
                match open.owed {
                    Owed::Outcome => acts.push(accepted(open.key(), id)),
                    // After a start nobody has said so yet, and the engine would send it again.
                    Owed::Word => acts.push(presumed(&open.handing)),
                    Owed::Nothing => {}
                }
                open.owed = Owed::Nothing;
                if over {
                    self.open.remove(id);
                }
            }
            HandingState::Processed => {}
            // Not open any more; taken out when they became so.
            HandingState::Withdrawn
            | HandingState::Cancelled
            | HandingState::Sent
            | HandingState::Failed
            | HandingState::Delivered => {
                self.open.remove(id);
            }
        }
    }

    /// The phone certainly does not send it.
    pub(super) fn take_back(&mut self, id: &str, acts: &mut Vec<Act>) {
        let Some(mut open) = self.open.remove(id) else {
            return;
        };
        if let Some(phone) = self.phones.get_mut(&open.handing.phone) {
            phone.not_used(id);
        }
        open.handing.state = open.handing.state.max(HandingState::Withdrawn);
        open.handing.text = "".into();
        if open.is_owed() {
            acts.push(Act::Returned(open.key()));
        }
        acts.push(keep(&open.handing));
    }

    /// Whether any phone can send: the engine offers direct messages while nothing else is up
    /// (R-QUOTA-3), and takes back what was not taken when none can.
    fn link(&self, now: Timestamp) -> LinkState {
        let phones = || self.phones.values();
        let present = |it: &&Phone| it.is_present(&self.config, now);
        if phones().next().is_none() {
            return LinkState::Down("no phone is paired with this route".into());
        }
        if !phones().any(|it| present(&it)) {
            return LinkState::Down("no phone of this route is there".into());
        }
        if !phones().any(|it| present(&it) && !it.rests(now)) {
            return LinkState::Down(ALL_REST.into());
        }
        let has_left = |it: &Phone| {
            self.cards_of(it, now)
                .iter()
                .any(|it| it.able && it.left > 0)
        };
        if !phones().any(has_left) {
            return LinkState::Down(ALL_AT_LIMIT.into());
        }
        LinkState::Up
    }

    /// The end: what was not given out goes back; of the rest nobody knows, and reports will tell.
    pub(super) fn close(&mut self) -> Vec<Act> {
        self.closing = true;
        let mut acts = Vec::new();
        let ids: Vec<_> = self.open.keys().cloned().collect();
        for id in ids {
            match self.open.get_mut(&id) {
                Some(open) if !open.listed => self.take_back(&id, &mut acts),
                Some(open) if open.is_owed() => {
                    open.owed = Owed::Word;
                    acts.push(match open.handing.state {
                        HandingState::Processed => accepted(open.key(), &id),
                        HandingState::Offered
                        | HandingState::Pending
                        | HandingState::Withdrawn
                        | HandingState::Cancelled
                        | HandingState::Sent
                        | HandingState::Failed
                        | HandingState::Delivered => {
                            let references = vec![reference(&id)];
                            Act::Submitted(open.key(), SubmitOutcome::Unknown { references })
                        }
                    });
                }
                Some(_) | None => {}
            }
        }
        acts.push(Act::Link(LinkState::Down("stopped".into())));
        acts
    }
}

/// What a phone is told of a message that it is not to send.
pub(super) fn cancelled(id: &str) -> PhoneEvent {
    PhoneEvent {
        name: "MessageCancelled",
        data: serde_json::json!({ "messageId": id }).to_string().into(),
    }
}

/// Keeps what is handed as it stands.
pub(super) fn keep(handing: &Handing) -> Act {
    Act::Keep(PhoneChange::Handing(Box::new(handing.clone())))
}

/// It left.
pub(super) fn accepted(key: SubmissionKey, id: &str) -> Act {
    let references = vec![reference(id)];
    Act::Submitted(key, SubmitOutcome::Accepted { references })
}

fn reference(id: &str) -> PartReference {
    PartReference {
        part: PartSet::WHOLE,
        reference: id.into(),
    }
}
