//! Team phones.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::RouteKey;
use domain::model::address::Address;
use domain::time::Timestamp;

use crate::store::phones::{
    Handing, HandingState, PairingRecord, PhoneBook, PhoneChange, PhonePeer, PhoneRecord, SimUse,
};

/// What is kept of phones.
#[derive(Debug, Default)]
pub(super) struct Phones {
    known: BTreeMap<Arc<str>, PhoneRecord>,
    pairings: BTreeMap<[u8; 32], PairingRecord>,
    handings: BTreeMap<Box<str>, Handing>,
    peers: BTreeMap<(RouteKey, Address), PhonePeer>,
}

impl Phones {
    pub(super) fn change(&mut self, change: &PhoneChange) {
        match change {
            PhoneChange::Phone(phone) => {
                self.known
                    .insert(Arc::clone(&phone.id), phone.as_ref().clone());
            }
            PhoneChange::Pairing(it) => {
                self.pairings.insert(it.token_hash, it.as_ref().clone());
            }
            PhoneChange::Handing(it) => {
                self.handings.insert(it.id.clone(), it.as_ref().clone());
            }
            PhoneChange::Peer(it) => {
                self.peers
                    .insert((it.route, it.address.clone()), it.as_ref().clone());
            }
            PhoneChange::Prune { before, limit } => self.prune(*before, (*limit).into()),
        }
    }

    fn prune(&mut self, before: Timestamp, limit: usize) {
        let handings = self.handings.values().filter(|it| it.valid_until < before);
        let handings: Vec<_> = handings.take(limit).map(|it| it.id.clone()).collect();
        for id in handings {
            self.handings.remove(&id);
        }
        let pairings = self.pairings.values().filter(|it| it.expires_at < before);
        let pairings: Vec<_> = pairings.take(limit).map(|it| it.token_hash).collect();
        for hash in pairings {
            self.pairings.remove(&hash);
        }
    }

    pub(super) fn book(&self, route: RouteKey, since: Timestamp, peers: usize) -> PhoneBook {
        let mut handings: Vec<_> = self.handings.values().collect();
        handings.retain(|it| it.route == route);
        handings.sort_by_key(|it| (it.handed_at, it.id.clone()));
        let taken_back = [HandingState::Withdrawn, HandingState::Cancelled];
        let mut newest: Vec<_> = self.peers.values().collect();
        newest.retain(|it| it.route == route);
        newest.sort_by_key(|it| (std::cmp::Reverse(it.at), it.address.clone()));
        PhoneBook {
            phones: self
                .known
                .values()
                .filter(|it| it.route == route && it.revoked_at.is_none())
                .cloned()
                .collect(),
            pairings: self
                .pairings
                .values()
                .filter(|it| it.route == route)
                .cloned()
                .collect(),
            uses: handings
                .iter()
                .filter(|it| it.handed_at >= since && !taken_back.contains(&it.state))
                .map(|it| SimUse {
                    phone: Arc::clone(&it.phone),
                    sim: it.sim,
                    at: it.handed_at,
                    parts: it.parts,
                })
                .collect(),
            open: handings
                .into_iter()
                .filter(|it| it.state.is_open())
                .cloned()
                .collect(),
            peers: newest.into_iter().take(peers).cloned().collect(),
        }
    }

    pub(super) fn handing(&self, route: RouteKey, id: &str) -> Option<Handing> {
        let found = self.handings.get(id).filter(|it| it.route == route);
        found.cloned()
    }
}
