//! How a phone becomes one of a pool, and how it is known again.
//!
//! The app's three ways in lead to the same: the token as private token (*Sign Up*), as password
//! (*Sign In*, with any login), or its six digits (*By Code*). A permission is for one phone; the
//! same phone may use it again for a few minutes, since the app repeats a request whose answer was
//! lost. Whoever comes again must be it: by its push token or its SIM cards; where neither says so,
//! only until the token of the answer was used, since then the answer was not lost.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::model::audit::{Actor, AuditAction};
use domain::time::{Millis, Timestamp};
use ports::phones::{Pairing, PhoneCaller};
use ports::store::phones::{PairingRecord, PhoneChange, PhoneRecord, SigningKey};

use super::phone::Phone;
use super::pool::{Act, Pool};
use super::wire::{self, DeviceIn, SimIn};
use super::{secrets, told};

/// How long a permission is good for.
pub(super) const PAIRING_LIFE: Millis = Millis::minutes(15);
/// How long the same phone may use a used one again.
const RETRY_GRACE: Millis = Millis::minutes(10);
/// Wrong codes in this time, after which no code is taken: a million codes could be tried else.
const GUESS_TIME: Millis = Millis::minutes(10);
const GUESSES: usize = 10;

/// What a request says of who makes it.
pub(super) enum Credential {
    Token(String),
    Code(String),
}

/// Reads an `Authorization` header.
pub(super) fn credential(header: &str) -> Option<Credential> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credential::Token(rest.to_owned()));
    }
    if scheme.eq_ignore_ascii_case("code") {
        return Some(Credential::Code(rest.to_owned()));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        let (_, password) = decoded.split_once(':')?;
        return Some(Credential::Token(password.to_owned()));
    }
    None
}

/// What a phone is told of its registration.
pub(super) struct Registered {
    pub(super) id: Arc<str>,
    pub(super) token: String,
}

impl Pool {
    /// Who this is, if it is somebody of the pool.
    pub(super) fn whose(&mut self, credential: &Credential, now: Timestamp) -> Option<PhoneCaller> {
        match credential {
            Credential::Token(token) => {
                let hash = secrets::hash(token);
                let mut phones = self.phones.values_mut();
                let phone = phones.find(|it| it.record.token_hash == hash);
                if let Some(phone) = phone {
                    phone.entry.has_called = true;
                    return Some(PhoneCaller::Phone(Arc::clone(&phone.record.id)));
                }
                let pairing = self.pairings.get(&hash).filter(|it| is_good(it, now));
                pairing.map(|it| PhoneCaller::Newcomer(it.token_hash))
            }
            Credential::Code(code) => {
                self.guesses.retain(|it| now.since(*it) < GUESS_TIME);
                if self.guesses.len() >= GUESSES {
                    let first = self.guesses.front().copied().unwrap_or(now);
                    let until = first.plus(GUESS_TIME);
                    return Some(PhoneCaller::Blocked { until });
                }
                let hash = secrets::hash(code);
                let mut pairings = self.pairings.values();
                let found = pairings.find(|it| it.code_hash == hash && is_good(it, now));
                if found.is_none() {
                    self.guesses.push_back(now);
                }
                found.map(|it| PhoneCaller::Newcomer(it.token_hash))
            }
        }
    }

    /// Makes a permission, in somebody's name.
    pub(super) fn pair(
        &mut self,
        name: Option<Box<str>>,
        by: Actor,
        now: Timestamp,
    ) -> (Pairing, Act) {
        let token = secrets::fresh();
        let mut code = secrets::code();
        let taken = |code: &str| {
            let hash = secrets::hash(code);
            self.pairings.values().any(|it| it.code_hash == hash)
        };
        while taken(&code) {
            code = secrets::code();
        }
        let expires_at = now.plus(PAIRING_LIFE);
        let record = PairingRecord {
            token_hash: secrets::hash(&token),
            code_hash: secrets::hash(&code),
            route: self.config.route,
            name,
            expires_at,
            used_at: None,
        };
        self.pairings
            .retain(|_, it| now.since(it.expires_at) < RETRY_GRACE);
        self.pairings.insert(record.token_hash, record.clone());
        self.invited.retain(|it, _| self.pairings.contains_key(it));
        self.invited.insert(record.token_hash, by.clone());
        let detail = record.name.as_deref().map(told::named).unwrap_or_default();
        let action = AuditAction::PhoneInvited;
        let line = told::line(&self.config, (by, now), action, None, detail);
        let pairing = Pairing {
            api_url: self.config.api_url.as_str().into(),
            token: token.into(),
            code: code.into(),
            expires_at,
        };
        (
            pairing,
            Act::Told(PhoneChange::Pairing(Box::new(record)), Box::new(line)),
        )
    }

    /// Makes a phone of whoever came with this permission; `None` where it was used by another.
    pub(super) fn register(
        &mut self,
        permission: [u8; 32],
        device: &DeviceIn,
        now: Timestamp,
    ) -> Option<(Registered, Vec<Act>)> {
        let pairing = self.pairings.get_mut(&permission)?;
        let own_name = device.name.as_deref().and_then(wire::text);
        let name = pairing.name.clone().or(own_name);
        let name = name.unwrap_or_else(|| "Phone".into());
        let sims = wire::sims(device.sim_cards.as_deref().unwrap_or_default());
        let token = secrets::fresh();
        if pairing.used_at.is_some() {
            let mut phones = self.phones.values_mut();
            let same = phones.find(|it| it.record.paired_by == permission)?;
            let may_come = match sameness(same, device, pairing.name.is_some()) {
                Sameness::Same => true,
                Sameness::Unknown => !same.entry.has_called,
                Sameness::Other => false,
            };
            if !may_come {
                tracing::warn!(phone = %same.record.id,
                    "another phone came with the code that a phone was paired with");
                return None;
            }
            same.entry.has_called = false;
            same.entry.described = Some(device.clone());
            same.record.token_hash = secrets::hash(&token);
            same.seen(now);
            let registered = Registered {
                id: Arc::clone(&same.record.id),
                token,
            };
            return Some((registered, vec![kept(&same.record)]));
        }
        pairing.used_at = Some(now);
        let id: Arc<str> = secrets::fresh().into();
        let record = PhoneRecord {
            id: Arc::clone(&id),
            route: self.config.route,
            name,
            token_hash: secrets::hash(&token),
            paired_by: permission,
            signing_key: SigningKey::new(secrets::signing_key()),
            sims,
            may_send: Vec::new(),
            per_hour: None,
            per_day: None,
            created_at: now,
            seen_at: now,
            hooks_at: None,
            settings_at: None,
            health: None,
            revoked_at: None,
        };
        // After a restart it is not known any more who let it in; the line of that is.
        let by = self.invited.remove(&permission);
        let line = told::line(
            &self.config,
            (by.unwrap_or_else(Actor::system), now),
            AuditAction::PhonePaired,
            Some(&id),
            told::named(&record.name),
        );
        let acts = vec![
            Act::Keep(PhoneChange::Pairing(Box::new(pairing.clone()))),
            Act::Told(PhoneChange::Phone(Box::new(record.clone())), Box::new(line)),
        ];
        let mut phone = Phone::new(record);
        phone.entry.described = Some(device.clone());
        self.phones.insert(Arc::clone(&id), phone);
        Some((Registered { id, token }, acts))
    }
}

/// Whether who comes again is the phone that came first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sameness {
    /// Something that only that phone has says so.
    Same,
    /// Nothing speaks against it: another of the same model would say the same.
    Unknown,
    /// It is not.
    Other,
}

fn sameness(phone: &Phone, device: &DeviceIn, is_named: bool) -> Sameness {
    fn differ<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
        one.zip(other).is_some_and(|(one, other)| one != other)
    }
    let cards = device.sim_cards.as_ref();
    let identifies = cards.is_some_and(|it| it.iter().any(SimIn::identifies));
    let Some(before) = &phone.entry.described else {
        // After a restart: what is kept of it.
        let own = device.name.as_deref().and_then(wire::text);
        let is_other = !is_named && own.is_some_and(|it| it != phone.record.name)
            || cards.is_some_and(|it| wire::sims(it) != phone.record.sims);
        let numbered = phone.record.sims.iter().any(|it| it.phone_number.is_some());
        return match (is_other, identifies && numbered) {
            (true, _) => Sameness::Other,
            (false, true) => Sameness::Same,
            (false, false) => Sameness::Unknown,
        };
    };
    let push = device.push_token.as_ref();
    let is_other = differ(before.name.as_ref(), device.name.as_ref())
        || differ(before.sim_cards.as_ref(), cards)
        || differ(before.push_token.as_ref(), push);
    let same_push = push.is_some() && before.push_token.is_some();
    let same_cards = identifies && before.sim_cards.is_some();
    match (is_other, same_push || same_cards) {
        (true, _) => Sameness::Other,
        (false, true) => Sameness::Same,
        (false, false) => Sameness::Unknown,
    }
}

/// Keeps a phone as it stands.
pub(super) fn kept(record: &PhoneRecord) -> Act {
    Act::Keep(PhoneChange::Phone(Box::new(record.clone())))
}

/// Whether a permission can be used, or used again by the same phone.
fn is_good(pairing: &PairingRecord, now: Timestamp) -> bool {
    match pairing.used_at {
        None => now < pairing.expires_at,
        Some(used_at) => now.since(used_at) < RETRY_GRACE,
    }
}
