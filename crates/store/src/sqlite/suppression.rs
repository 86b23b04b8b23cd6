//! Who was erased and had opted out: remembered by a keyed hash of each address, so that nobody can
//! read from the database whom it is about, and the person is still left alone (R-IN-2).

use domain::ids::{ContactId, ProjectKey, SenderKey};
use domain::model::address::Address;
use domain::model::consent::{Standing, Standings};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::consent::{standing_towards, standings};
use super::contacts::reachable;
use super::fault::Fault;
use super::lines::Line;
use super::readers::Reader;
use crate::rows::address::address_to_text;
use crate::seal::Seal;

/// Stands for the whole project where a sender is named in a row.
pub(super) const WHOLE_PROJECT: u32 = 0;

/// The two columns of a standing, from `first` on.
pub(super) fn read_standing(row: &Row<'_>, first: usize) -> rusqlite::Result<Standing> {
    Ok(Standing {
        opted_out: row.get(first)?,
        no_promotions: row.get(first + 1)?,
    })
}

/// What stands for an address. Of the same address it is another one in each project.
fn hash(seal: &Seal, project: ProjectKey, address: &Address) -> [u8; 32] {
    seal.fingerprint(&format!("{} {}", project.0, address_to_text(address)))
}

/// How an address that nobody has stands towards a sender.
fn left_by(
    db: &Connection,
    seal: &Seal,
    project: ProjectKey,
    address: &Address,
    sender: SenderKey,
) -> Result<Standing, Fault> {
    let found = db
        .prepare_cached(
            "SELECT opted_out, no_promotions FROM suppression
             WHERE project = ?1 AND address = ?2 AND sender IN (0, ?3)
             ORDER BY sender DESC LIMIT 1",
        )?
        .query_row(
            params![project.0, hash(seal, project, address), sender.0],
            |row| read_standing(row, 0),
        )
        .optional()?;
    Ok(found.unwrap_or_default())
}

impl Line<'_> {
    /// How an address that nobody has stands towards a sender.
    pub(super) fn left_by(
        &mut self,
        project: ProjectKey,
        address: &Address,
        sender: SenderKey,
    ) -> Result<Standing, Fault> {
        if !self.suppresses {
            return Ok(Standing::default());
        }
        left_by(self.connection, &self.seal, project, address, sender)
    }

    /// Remembers for its addresses what a contact wants no more, before it is erased.
    pub(super) fn suppress(
        &mut self,
        project: ProjectKey,
        contact: ContactId,
    ) -> Result<(), Fault> {
        let standings = standings(self.connection, contact)?.in_short();
        if !standings.wants_less() {
            return Ok(());
        }
        let whole = (SenderKey(WHOLE_PROJECT), standings.project);
        for address in reachable(self.connection, project, contact)? {
            let address = hash(&self.seal, project, &address);
            for (sender, standing) in standings
                .senders
                .iter()
                .map(|it| (*it.0, *it.1))
                .chain([whole])
            {
                self.connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO suppression (project, address, sender, opted_out,
                             no_promotions)
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute(params![
                        project.0,
                        address,
                        sender.0,
                        standing.opted_out,
                        standing.no_promotions,
                    ])?;
            }
        }
        self.connection
            .execute("UPDATE line SET suppresses = 1 WHERE id = 1", [])?;
        self.suppresses = true;
        Ok(())
    }

    /// What was remembered for an address is its contact's from now on.
    pub(super) fn take_over(
        &mut self,
        project: ProjectKey,
        contact: ContactId,
        address: &Address,
    ) -> Result<(), Fault> {
        if !self.suppresses {
            return Ok(());
        }
        let address = hash(&self.seal, project, address);
        let left = {
            let mut statement = self.connection.prepare_cached(
                "DELETE FROM suppression WHERE project = ?1 AND address = ?2
                 RETURNING sender, opted_out, no_promotions",
            )?;
            let mut rows = statement.query(params![project.0, address])?;
            let mut left = Standings::default();
            let mut is_any = false;
            while let Some(row) = rows.next()? {
                is_any = true;
                let standing = read_standing(row, 1)?;
                match row.get(0)? {
                    WHOLE_PROJECT => left.project = standing,
                    sender => {
                        left.senders.insert(SenderKey(sender), standing);
                    }
                }
            }
            is_any.then_some(left)
        };
        let Some(left) = left else { return Ok(()) };
        let both = standings(self.connection, contact)?.stricter(&left);
        self.stand(project, contact, &both)
    }

    /// How the person with an address stands: whoever has it, else the erased contact that had it.
    pub(super) fn standing_of(
        &mut self,
        project: ProjectKey,
        address: &Address,
        sender: SenderKey,
    ) -> Result<Standing, Fault> {
        match self.holder(project, address.kind(), &address.to_string())? {
            Some(holder) => standing_towards(self.connection, holder, sender),
            None => self.left_by(project, address, sender),
        }
    }
}

impl Reader {
    /// How the person with an address stands: whoever has it, else the erased contact that had it.
    pub(super) fn standing_of(
        &self,
        project: ProjectKey,
        address: &Address,
        sender: SenderKey,
    ) -> Result<Standing, Fault> {
        match self.contact_with(project, address)? {
            Some(holder) => standing_towards(&self.db, holder, sender),
            None => self.left_by(project, address, sender),
        }
    }

    /// How an address that nobody has stands towards a sender.
    pub(super) fn left_by(
        &self,
        project: ProjectKey,
        address: &Address,
        sender: SenderKey,
    ) -> Result<Standing, Fault> {
        left_by(&self.db, &self.seal, project, address, sender)
    }
}
