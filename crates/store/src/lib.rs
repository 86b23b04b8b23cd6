//! The stores: SQLite, embedded.
//!
//! Reading order: [`sqlite`] (opening, threads), `sqlite/migrate.rs`, `sqlite/writer.rs` (batches),
//! `sqlite/accept.rs` and its neighbours (one file a station), `sqlite/readers.rs` (queries),
//! `rows` (how values become columns),
//! `seal` (how secrets lie there).

mod rows;
mod seal;
pub mod sqlite;

pub use seal::{KeyError, SecretKey};
pub use sqlite::{OpenError, Options, SqliteStore};
