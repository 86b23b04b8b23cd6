//! What can go wrong with the file, and who has to act.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;
use thiserror::Error;

use super::migrate::MigrationError;
use crate::rows::Corrupt;
use crate::seal::{KeyError, Sealed};

/// The database could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Its folder could not be made.
    #[error("the folder {path} cannot be made: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was not there, and could not be made.
    #[error("the file {path} cannot be made: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("the database cannot be opened: {0}")]
    Database(#[from] rusqlite::Error),
    /// The file system does not carry SQLite's write-ahead log.
    #[error("the database is in journal mode {0}, not in WAL mode; is it on a network share?")]
    NoWriteAheadLog(Box<str>),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// There is no key for the secrets in it.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No thread could be started.
    #[error("a thread of the store cannot be started: {0}")]
    Thread(io::Error),
}

/// An operation or a query failed.
#[derive(Debug, Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    #[error("a value that is kept as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Sealed(#[from] Sealed),
    #[error("a decision cannot be kept as JSON: {0}")]
    Decision(String),
}

impl Fault {
    /// Whether it comes from this one operation, so that the others of its batch may succeed
    /// without it; else the file or the disk is at fault, and trying again is for later.
    pub(super) fn is_of_one_operation(&self) -> bool {
        match self {
            Self::Corrupt(_) | Self::Json(_) | Self::Sealed(_) | Self::Decision(_) => true,
            Self::Database(error) => match error.sqlite_error_code() {
                None
                | Some(
                    ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig,
                ) => true,
                Some(_) => false,
            },
        }
    }
}
