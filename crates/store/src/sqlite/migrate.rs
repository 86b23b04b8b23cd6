//! Brings the schema up to date, forward only (R-RUN-3).
//!
//! Each migration is one file, applied once, in order, each in its own transaction together with
//! the note that it was applied. The note holds a checksum, so that a file that was changed after
//! its release is found out instead of silently meaning two things.

use rusqlite::{Connection, TransactionBehavior, params};
use thiserror::Error;

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    /// 1 for the first; without gaps.
    pub(super) number: i64,
    /// What it is for.
    pub(super) name: &'static str,
    /// Its statements.
    pub(super) sql: &'static str,
}

/// Every step, in order.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "line",
        sql: include_str!("../../migrations/0001_line.sql"),
    },
    Migration {
        number: 2,
        name: "addresses",
        sql: include_str!("../../migrations/0002_addresses.sql"),
    },
    Migration {
        number: 3,
        name: "senders",
        sql: include_str!("../../migrations/0003_senders.sql"),
    },
    Migration {
        number: 4,
        name: "templates",
        sql: include_str!("../../migrations/0004_templates.sql"),
    },
    Migration {
        number: 5,
        name: "conversations",
        sql: include_str!("../../migrations/0005_conversations.sql"),
    },
    Migration {
        number: 6,
        name: "events",
        sql: include_str!("../../migrations/0006_events.sql"),
    },
    Migration {
        number: 7,
        name: "sender_settings",
        sql: include_str!("../../migrations/0007_sender_settings.sql"),
    },
    Migration {
        number: 8,
        name: "project_consent",
        sql: include_str!("../../migrations/0008_project_consent.sql"),
    },
    Migration {
        number: 9,
        name: "money",
        sql: include_str!("../../migrations/0009_money.sql"),
    },
    Migration {
        number: 10,
        name: "controls",
        sql: include_str!("../../migrations/0010_controls.sql"),
    },
    Migration {
        number: 11,
        name: "users",
        sql: include_str!("../../migrations/0011_users.sql"),
    },
    Migration {
        number: 12,
        name: "phones",
        sql: include_str!("../../migrations/0012_phones.sql"),
    },
    Migration {
        number: 13,
        name: "claims",
        sql: include_str!("../../migrations/0013_claims.sql"),
    },
    Migration {
        number: 14,
        name: "deposit_keys_and_outcomes",
        sql: include_str!("../../migrations/0014_deposit_keys_and_outcomes.sql"),
    },
    Migration {
        number: 15,
        name: "campaigns",
        sql: include_str!("../../migrations/0015_campaigns.sql"),
    },
    Migration {
        number: 16,
        name: "alert_quotas",
        sql: include_str!("../../migrations/0016_alert_quotas.sql"),
    },
    Migration {
        number: 17,
        name: "unread",
        sql: include_str!("../../migrations/0017_unread.sql"),
    },
];

/// The schema could not be brought up to date.
#[derive(Debug, Error)]
pub enum MigrationError {
    /// A newer release has used this file; an older one would damage it.
    #[error(
        "the database has schema {found}, this program knows up to {known}: use a newer program"
    )]
    Newer {
        /// The database's schema.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// A migration was changed after it had been applied.
    #[error("migration {number} ({name}) is not the one that this database was made with")]
    Changed {
        /// Which.
        number: i64,
        /// Its name.
        name: &'static str,
    },
    /// SQLite refused.
    #[error("migrate the schema: {0}")]
    Database(#[from] rusqlite::Error),
}

/// Applies what is missing.
pub(super) fn run(connection: &Connection, migrations: &[Migration]) -> Result<(), MigrationError> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migration (
             number   INTEGER PRIMARY KEY,
             name     TEXT    NOT NULL,
             checksum INTEGER NOT NULL
         )",
    )?;
    let known = migrations.last().map_or(0, |it| it.number);
    let found: Option<i64> =
        connection.query_row("SELECT max(number) FROM schema_migration", [], |row| {
            row.get(0)
        })?;
    if let Some(found) = found.filter(|it| *it > known) {
        return Err(MigrationError::Newer { found, known });
    }
    migrations.iter().try_for_each(|it| apply(connection, it))
}

/// Applies one, unless it is there. Another process may be doing the same at this moment.
fn apply(connection: &Connection, migration: &Migration) -> Result<(), MigrationError> {
    let Migration { number, name, sql } = *migration;
    let transaction =
        rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let applied = transaction
        .prepare("SELECT checksum FROM schema_migration WHERE number = ?1")?
        .query_map([number], |row| row.get::<_, i64>(0))?
        .next()
        .transpose()?;
    match applied {
        Some(sum) if sum == checksum(sql) => Ok(()),
        Some(_) => Err(MigrationError::Changed { number, name }),
        None => {
            transaction.execute_batch(sql)?;
            transaction.execute(
                "INSERT INTO schema_migration (number, name, checksum) VALUES (?1, ?2, ?3)",
                params![number, name, checksum(sql)],
            )?;
            Ok(transaction.commit()?)
        }
    }
}

/// FNV-1a: it guards against mistakes, not against attackers.
fn checksum(sql: &str) -> i64 {
    let hash = sql.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash.cast_signed()
}

#[cfg(test)]
mod tests {
    use domain::ids::{ContactId, SenderKey};

    use super::super::consent;
    use super::*;

    const FIRST: Migration = Migration {
        number: 1,
        name: "first",
        sql: "CREATE TABLE a (x); INSERT INTO a VALUES (1)",
    };
    const SECOND: Migration = Migration {
        number: 2,
        name: "second",
        sql: "CREATE TABLE b (x)",
    };
    const BROKEN: Migration = Migration {
        number: 2,
        name: "broken",
        sql: "CREATE TABLE b (x); CREATE TABLE a (x)",
    };

    fn count(connection: &Connection, table: &str) -> i64 {
        connection
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |it| it.get(0))
            .unwrap()
    }

    #[test]
    fn each_migration_is_applied_once_and_in_order() {
        let connection = Connection::open_in_memory().unwrap();
        run(&connection, &[FIRST]).unwrap();
        run(&connection, &[FIRST, SECOND]).unwrap();
        run(&connection, &[FIRST, SECOND]).unwrap();
        assert_eq!((count(&connection, "a"), count(&connection, "b")), (1, 0));
        assert_eq!(count(&connection, "schema_migration"), 2);
    }

    #[test]
    fn a_database_of_a_newer_program_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        run(&connection, &[FIRST, SECOND]).unwrap();
        let refused = run(&connection, &[FIRST]);
        assert!(matches!(
            refused,
            Err(MigrationError::Newer { found: 2, known: 1 })
        ));
    }

    #[test]
    fn a_migration_that_was_changed_after_its_release_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        run(&connection, &[FIRST]).unwrap();
        let changed = Migration {
            sql: "CREATE TABLE a (y)",
            ..FIRST
        };
        let refused = run(&connection, &[changed]);
        assert!(matches!(
            refused,
            Err(MigrationError::Changed { number: 1, .. })
        ));
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let connection = Connection::open_in_memory().unwrap();
        assert!(run(&connection, &[FIRST, BROKEN]).is_err());
        assert_eq!(count(&connection, "schema_migration"), 1);
        run(&connection, &[FIRST, SECOND]).unwrap();
        assert_eq!(count(&connection, "b"), 0);
    }

    #[test]
    fn threads_that_were_there_before_are_conversations_that_are_read() {
        let connection = Connection::open_in_memory().unwrap();
        let before = MIGRATIONS.iter().filter(|it| it.number < 5).copied();
        run(&connection, &before.collect::<Vec<_>>()).unwrap();
        connection
            .execute_batch(
                "INSERT INTO thread (contact, sender, opted_out) VALUES (7, 1, 1), (8, 1, 0);
                 INSERT INTO message (id, project, sender, contact, place, status, channel, in_hand,
                     updated_at)
                 VALUES (11, 3, 1, 7, 0, 2, 0, 0, 50), (12, 3, 1, 7, 0, 6, 1, 0, 60),
                     (13, 3, 2, 7, 0, 0, NULL, 0, 70);
                 INSERT INTO content (message, peer, kind, accepted_at)
                 VALUES (11, 1, 0, 40), (12, 1, 0, 60), (13, 1, 0, 70);",
            )
            .unwrap();
        run(&connection, MIGRATIONS).unwrap();
        let thread = |contact: i64| {
            connection
                .query_row(
                    "SELECT project, message_count, unread_count, last_message, channels, created_at
                     FROM thread WHERE contact = ?1",
                    [contact],
                    |row| {
                        let columns: [Option<i64>; 6] = [
                            row.get(0)?,
                            row.get(1)?,
                            row.get(2)?,
                            row.get(3)?,
                            row.get(4)?,
                            row.get(5)?,
                        ];
                        Ok(columns)
                    },
                )
                .unwrap()
        };
        assert_eq!(thread(7), [3, 2, 0, 12, 3, 40].map(Some));
        let empty = [None, Some(0), Some(0), None, Some(0), None];
        assert_eq!(thread(8), empty);
    }

    #[test]
    fn opt_outs_that_were_there_before_stay_those_of_their_senders() {
        let connection = Connection::open_in_memory().unwrap();
        let before = MIGRATIONS.iter().filter(|it| it.number < 8).copied();
        run(&connection, &before.collect::<Vec<_>>()).unwrap();
        connection
            .execute_batch(
                "INSERT INTO thread (contact, sender, opted_out) VALUES (7, 1, 1), (7, 2, 0);
                 INSERT INTO consent (contact, sender, at, opted_out, scope, source, wording)
                 VALUES (7, 1, 50, 1, 0, 2, 'by phone');",
            )
            .unwrap();
        run(&connection, MIGRATIONS).unwrap();
        let standings = consent::standings(&connection, ContactId::from_key(7)).unwrap();
        assert!(standings.towards(SenderKey(1)).opted_out);
        assert!(!standings.towards(SenderKey(2)).opted_out);
        assert!(!standings.towards(SenderKey(3)).opted_out);
        assert_eq!(count(&connection, "consent"), 1);
        assert_eq!(count(&connection, "suppression"), 0);
    }

    #[test]
    fn the_migrations_are_numbered_without_gaps() {
        for (number, migration) in (1..).zip(MIGRATIONS) {
            assert_eq!(migration.number, number, "{}", migration.name);
        }
    }
}
