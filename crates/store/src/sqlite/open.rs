//! Connections and their settings. The database is one file in our own process (R-RUN-1).
//!
//! `synchronous=FULL`, since with NORMAL a power loss takes acknowledged messages (R-LIFE-2). The
//! page caches are 20 MB together, so that memory stays flat however many messages wait.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::fault::OpenError;
use super::migrate;

/// Kibibytes of page cache of the connection that writes.
const WRITER_CACHE: i64 = 8 * 1024;
/// Kibibytes of page cache of each connection that reads.
const READER_CACHE: i64 = 4 * 1024;
/// Pages in the write-ahead log at which a commit also checkpoints: 16 MB.
const CHECKPOINT_PAGES: i64 = 4_000;
/// How long another process may hold the write lock before an operation fails.
const BUSY_MILLIS: i64 = 5_000;
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 128;

/// The connection that writes, on an up-to-date schema.
pub(super) fn for_writing(path: &Path) -> Result<Connection, OpenError> {
    make(path)?;
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "busy_timeout", BUSY_MILLIS)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(OpenError::NoWriteAheadLog(mode.into()));
    }
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    migrate::run(&connection, migrate::MIGRATIONS)?;
    Ok(connection)
}

/// Makes the file and its folders, where they are missing, for their owner alone (R-SEC): people's
/// messages are in them. SQLite gives the files beside it the same rights. What is there is left as
/// it is.
fn make(path: &Path) -> Result<(), OpenError> {
    let mut folders = DirBuilder::new();
    folders.recursive(true);
    // Only a file that nobody has open yet: to close one takes SQLite's locks on it away.
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    }
    if let Some(folder) = path.parent() {
        folders.create(folder).map_err(|source| OpenError::Folder {
            path: folder.to_owned(),
            source,
        })?;
    }
    match file.open(path) {
        Err(source) if source.kind() != ErrorKind::AlreadyExists => Err(OpenError::File {
            path: path.to_owned(),
            source,
        }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A connection that only reads.
pub(super) fn for_reading(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "busy_timeout", BUSY_MILLIS)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}
