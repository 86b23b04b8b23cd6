//! Team phones (R-PHONE-1): what is kept of each, who may become one, what it was handed.

use domain::ids::{MessageId, RouteKey};
use domain::time::Timestamp;
use ports::store::Outcome;
use ports::store::phones::{
    Handing, HandingState, PairingRecord, PhoneBook, PhoneChange, PhoneHealth, PhonePeer,
    PhoneRecord, SigningKey, SimCard, SimUse,
};
use rusqlite::{Row, params};
use serde_json::{Value, json};

use super::fault::Fault;
use super::lines::Line;
use super::loading::{coded, optional_time, time};
use super::readers::Reader;
use crate::rows::Corrupt;
use crate::rows::address::{address_from_text, address_to_text};
use crate::rows::codes::Coded;
use crate::seal::Seal;

const HANDING: &str = "SELECT id, route, phone, sim, message, attempt, peer, text, parts, state,
        cancelling, handed_at, valid_until
    FROM phone_handing";

/// A SIM card as it lies in its column.
type SimRow = (u8, Option<Box<str>>, Option<Box<str>>);
/// How a phone is, as it lies in its column.
type HealthRow = (Box<str>, Option<Box<str>>, Option<u8>, i64);

/// Whose a sealed key is.
fn owner(phone: &str) -> String {
    format!("phone {phone}")
}

impl Line<'_> {
    /// See [`PhoneChange`].
    pub(super) fn change_phone(&mut self, change: &PhoneChange) -> Result<Outcome, Fault> {
        match change {
            PhoneChange::Phone(phone) => self.keep_phone(phone)?,
            PhoneChange::Pairing(it) => {
                self.connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO phone_pairing
                             (token_hash, code_hash, route, name, expires_at, used_at)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        it.token_hash,
                        it.code_hash,
                        it.route.0,
                        it.name,
                        it.expires_at.as_millis(),
                        it.used_at.map(Timestamp::as_millis),
                    ])?;
            }
            PhoneChange::Handing(it) => self.keep_handing(it)?,
            PhoneChange::Peer(it) => {
                self.connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO phone_peer (route, peer, phone, sim, at)
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute(params![
                        it.route.0,
                        address_to_text(&it.address),
                        &*it.phone,
                        it.sim,
                        it.at.as_millis(),
                    ])?;
            }
            PhoneChange::Prune { before, limit } => {
                let values = params![before.as_millis(), limit];
                self.connection
                    .prepare_cached(
                        "DELETE FROM phone_handing WHERE id IN (SELECT id FROM phone_handing
                             WHERE valid_until < ?1 LIMIT ?2)",
                    )?
                    .execute(values)?;
                self.connection
                    .prepare_cached(
                        "DELETE FROM phone_pairing WHERE token_hash IN
                             (SELECT token_hash FROM phone_pairing WHERE expires_at < ?1 LIMIT ?2)",
                    )?
                    .execute(values)?;
            }
        }
        Ok(Outcome::Done)
    }

    fn keep_phone(&mut self, it: &PhoneRecord) -> Result<(), Fault> {
        let key = self.seal.seal(&owner(&it.id), it.signing_key.expose())?;
        let sims: Vec<Value> = it
            .sims
            .iter()
            .map(|sim| json!([sim.number, sim.phone_number, sim.carrier]))
            .collect();
        let health = it.health.as_ref().map(|health| {
            json!([
                health.status,
                health.version,
                health.battery,
                health.at.as_millis()
            ])
        });
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO phone (id, route, name, token_hash, paired_by, signing_key,
                     sims, may_send, per_hour, per_day, created_at, seen_at, hooks_at, settings_at,
                     health, revoked_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            )?
            .execute(params![
                &*it.id,
                it.route.0,
                it.name,
                it.token_hash,
                it.paired_by,
                key,
                serde_json::to_string(&sims)?,
                serde_json::to_string(&it.may_send)?,
                it.per_hour,
                it.per_day,
                it.created_at.as_millis(),
                it.seen_at.as_millis(),
                it.hooks_at.map(Timestamp::as_millis),
                it.settings_at.map(Timestamp::as_millis),
                health.map(|it| it.to_string()),
                it.revoked_at.map(Timestamp::as_millis),
            ])?;
        Ok(())
    }

    fn keep_handing(&mut self, it: &Handing) -> Result<(), Fault> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO phone_handing (id, route, phone, sim, message, attempt, peer,
                     text, parts, state, cancelling, handed_at, valid_until)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                it.id,
                it.route.0,
                &*it.phone,
                it.sim,
                it.message.key(),
                it.attempt,
                address_to_text(&it.to),
                it.text,
                it.parts,
                it.state.number(),
                it.cancelling,
                it.handed_at.as_millis(),
                it.valid_until.as_millis(),
            ])?;
        Ok(())
    }
}

fn read_phone(row: &Row<'_>, seal: &Seal) -> Result<PhoneRecord, Fault> {
    let id: String = row.get(0)?;
    let key = row.get_ref(5)?.as_blob().map_err(|_| Corrupt("key"))?;
    let sims: Vec<SimRow> = serde_json::from_str(&row.get::<_, String>(6)?)?;
    let health: Option<String> = row.get(14)?;
    let health = health.map(|it| serde_json::from_str(&it)).transpose()?;
    let health: Option<HealthRow> = health;
    Ok(PhoneRecord {
        signing_key: SigningKey::new(seal.open(&owner(&id), key)?),
        id: id.into(),
        route: RouteKey(row.get(1)?),
        name: row.get(2)?,
        token_hash: row.get(3)?,
        paired_by: row.get(4)?,
        sims: sims
            .into_iter()
            .map(|(number, phone_number, carrier)| SimCard {
                number,
                phone_number,
                carrier,
            })
            .collect(),
        may_send: serde_json::from_str(&row.get::<_, String>(7)?)?,
        per_hour: row.get(8)?,
        per_day: row.get(9)?,
        created_at: time(row, 10)?,
        seen_at: time(row, 11)?,
        hooks_at: optional_time(row, 12)?,
        settings_at: optional_time(row, 13)?,
        health: health.map(|(status, version, battery, at)| PhoneHealth {
            status,
            version,
            battery,
            at: Timestamp::from_millis(at),
        }),
        revoked_at: optional_time(row, 15)?,
    })
}

fn read_handing(row: &Row<'_>) -> Result<Handing, Fault> {
    Ok(Handing {
        id: row.get(0)?,
        route: RouteKey(row.get(1)?),
        phone: row.get::<_, String>(2)?.into(),
        sim: row.get(3)?,
        message: MessageId::from_key(row.get(4)?),
        attempt: row.get(5)?,
        to: address_from_text(&row.get::<_, String>(6)?)?,
        text: row.get(7)?,
        parts: row.get(8)?,
        state: coded::<HandingState>(row, 9)?,
        cancelling: row.get(10)?,
        handed_at: time(row, 11)?,
        valid_until: time(row, 12)?,
    })
}

impl Reader {
    pub(super) fn phone_book(
        &self,
        route: RouteKey,
        since: Timestamp,
        peers: u32,
    ) -> Result<PhoneBook, Fault> {
        let mut book = PhoneBook::default();
        let mut statement = self.db.prepare_cached(
            "SELECT id, route, name, token_hash, paired_by, signing_key, sims, may_send, per_hour,
                 per_day, created_at, seen_at, hooks_at, settings_at, health, revoked_at
             FROM phone WHERE route = ?1 AND revoked_at IS NULL ORDER BY id",
        )?;
        let mut rows = statement.query([route.0])?;
        while let Some(row) = rows.next()? {
            book.phones.push(read_phone(row, &self.seal)?);
        }
        let mut statement = self.db.prepare_cached(
            "SELECT token_hash, code_hash, name, expires_at, used_at FROM phone_pairing
             WHERE route = ?1 ORDER BY token_hash",
        )?;
        let mut rows = statement.query([route.0])?;
        while let Some(row) = rows.next()? {
            book.pairings.push(PairingRecord {
                token_hash: row.get(0)?,
                code_hash: row.get(1)?,
                route,
                name: row.get(2)?,
                expires_at: time(row, 3)?,
                used_at: optional_time(row, 4)?,
            });
        }
        let mut statement = self.db.prepare_cached(&format!(
            "{HANDING} WHERE route = ?1 AND state < 3 ORDER BY handed_at, id"
        ))?;
        let mut rows = statement.query([route.0])?;
        while let Some(row) = rows.next()? {
            book.open.push(read_handing(row)?);
        }
        let taken_back = [HandingState::Withdrawn, HandingState::Cancelled].map(Coded::number);
        let mut statement = self.db.prepare_cached(
            "SELECT phone, sim, handed_at, parts FROM phone_handing
             WHERE route = ?1 AND handed_at >= ?2 AND state NOT IN (?3, ?4)
             ORDER BY handed_at, id",
        )?;
        let values = params![route.0, since.as_millis(), taken_back[0], taken_back[1]];
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            book.uses.push(SimUse {
                phone: row.get::<_, String>(0)?.into(),
                sim: row.get(1)?,
                at: time(row, 2)?,
                parts: row.get(3)?,
            });
        }
        let mut statement = self.db.prepare_cached(
            "SELECT peer, phone, sim, at FROM phone_peer WHERE route = ?1
             ORDER BY at DESC, peer LIMIT ?2",
        )?;
        let mut rows = statement.query([route.0, peers])?;
        while let Some(row) = rows.next()? {
            book.peers.push(PhonePeer {
                route,
                address: address_from_text(&row.get::<_, String>(0)?)?,
                phone: row.get::<_, String>(1)?.into(),
                sim: row.get(2)?,
                at: time(row, 3)?,
            });
        }
        Ok(book)
    }

    pub(super) fn phone_handing(
        &self,
        route: RouteKey,
        id: &str,
    ) -> Result<Option<Handing>, Fault> {
        let mut statement = self
            .db
            .prepare_cached(&format!("{HANDING} WHERE id = ?1 AND route = ?2"))?;
        let mut rows = statement.query(params![id, route.0])?;
        rows.next()?.map(read_handing).transpose()
    }
}
