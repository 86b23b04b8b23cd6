//! What can be asked of quotas, the ledger and the tallies.

use domain::ids::{CampaignKey, MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::ledger::{Account, Movement, Posting};
use domain::model::message::TrafficClass;
use domain::model::money::Micros;
use domain::model::quota::{Meter, MeterOf};
use domain::model::tally::Tally;
use domain::time::Millis;
use ports::store::books::{LedgerEntry, LedgerFilter, TallyFilter, TallyRow};
use rusqlite::{Row, params};

use super::books::NO_CAMPAIGN;
use super::fault::Fault;
use super::housekeeping::CAMPAIGN;
use super::loading::{optional_coded, optional_time, time};
use super::readers::Reader;
use crate::rows::account::{account_from_key, country_from_key, country_to_key};
use crate::rows::codes::Coded;
use crate::rows::meter::{self, meter_from_key};

impl Reader {
    pub(super) fn meters(&self) -> Result<Vec<(MeterOf, Meter)>, Fault> {
        let mut statement = self
            .db
            .prepare_cached("SELECT kind, key, record FROM meter")?;
        let mut rows = statement.query([])?;
        let mut meters = Vec::new();
        while let Some(row) = rows.next()? {
            let record: Vec<u8> = row.get(2)?;
            let of = meter_from_key(row.get(0)?, row.get(1)?)?;
            meters.push((of, meter::decode(&record)?));
        }
        Ok(meters)
    }

    pub(super) fn balances(&self, project: ProjectKey) -> Result<Vec<(Account, Micros)>, Fault> {
        let mut statement = self
            .db
            .prepare_cached("SELECT account, amount FROM balance WHERE project = ?1")?;
        let mut rows = statement.query([project.0])?;
        let mut balances = Vec::new();
        while let Some(row) = rows.next()? {
            balances.push((account_from_key(row.get(0)?)?, Micros(row.get(1)?)));
        }
        Ok(balances)
    }

    pub(super) fn ledger(&self, filter: &LedgerFilter) -> Result<Vec<LedgerEntry>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT seq, at, gains, loses, amount, message, attempt, note FROM ledger
             WHERE project = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
        )?;
        let before = filter.before.unwrap_or(i64::MAX);
        let mut rows = statement.query(params![filter.project.0, before, filter.limit])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let message: Option<i64> = row.get(5)?;
            let attempt: Option<u8> = row.get(6)?;
            let movement = match message.zip(attempt) {
                Some((message, attempt)) => Movement::Charge {
                    message: MessageId::from_key(message),
                    attempt,
                },
                None => Movement::Deposit,
            };
            let note: Option<String> = row.get(7)?;
            entries.push(LedgerEntry {
                seq: row.get(0)?,
                posting: Posting {
                    project: filter.project,
                    at: time(row, 1)?,
                    to: account_from_key(row.get(2)?)?,
                    from: account_from_key(row.get(3)?)?,
                    amount: Micros(row.get(4)?),
                    movement,
                },
                note: note.map(Into::into),
            });
        }
        Ok(entries)
    }

    pub(super) fn campaigns(
        &self,
        project: ProjectKey,
    ) -> Result<Vec<(CampaignKey, Box<str>)>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT key, id FROM registry WHERE kind = ?1 AND project = ?2 ORDER BY key",
        )?;
        let mut rows = statement.query(params![CAMPAIGN, project.0])?;
        let mut named = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(1)?;
            named.push((CampaignKey(row.get(0)?), name.into()));
        }
        Ok(named)
    }

    pub(super) fn tallies(&self, filter: &TallyFilter) -> Result<Vec<TallyRow>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT CASE WHEN ?7 THEN hour END, CASE WHEN ?8 THEN route END,
                 CASE WHEN ?9 THEN sender END, CASE WHEN ?10 THEN country END,
                 CASE WHEN ?11 THEN class END, CASE WHEN ?12 THEN campaign END,
                 sum(sent), sum(delivered), sum(failed), sum(segments), sum(cost),
                 sum(delivery_time)
             FROM tally
             WHERE project = ?1 AND hour >= ?2 AND hour < ?3
                 AND (?4 IS NULL OR route = ?4) AND (?5 IS NULL OR sender = ?5)
                 AND (?6 IS NULL OR country = ?6) AND (?13 IS NULL OR campaign = ?13)
                 AND (?14 IS NULL OR class = ?14)
             GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6 LIMIT ?15",
        )?;
        let by = filter.by;
        let mut rows = statement.query(params![
            filter.project.0,
            filter.from.as_millis(),
            filter.until.as_millis(),
            filter.route.map(|it| it.0),
            filter.sender.map(|it| it.0),
            filter.country.map(|it| country_to_key(Some(it))),
            by.hour,
            by.route,
            by.sender,
            by.country,
            by.class,
            by.campaign,
            filter.campaign.map(|it| it.0),
            filter.class.map(Coded::number),
            filter.limit,
        ])?;
        let mut sums = Vec::new();
        while let Some(row) = rows.next()? {
            sums.push(read_sum(row)?);
        }
        Ok(sums)
    }
}

fn read_sum(row: &Row<'_>) -> Result<TallyRow, Fault> {
    let route: Option<u32> = row.get(1)?;
    let sender: Option<u32> = row.get(2)?;
    let country: Option<u32> = row.get(3)?;
    let campaign: Option<u32> = row.get(5)?;
    Ok(TallyRow {
        hour: optional_time(row, 0)?,
        route: route.map(RouteKey),
        sender: sender.map(SenderKey),
        country: country.map(country_from_key).transpose()?,
        class: optional_coded::<TrafficClass>(row, 4)?,
        campaign: campaign.map(|it| (it != NO_CAMPAIGN).then_some(CampaignKey(it))),
        tally: Tally {
            sent: row.get(6)?,
            delivered: row.get(7)?,
            failed: row.get(8)?,
            segments: row.get(9)?,
            cost: Micros(row.get(10)?),
            delivery_time: Millis::new(row.get(11)?),
        },
    })
}
