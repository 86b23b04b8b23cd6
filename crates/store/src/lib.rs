//! The stores: SQLite, embedded.
//!
//! Reading order: [`sqlite`] (opening, threads), `sqlite/migrate.rs`, `sqlite/writer.rs` (batches),
//! `sqlite/accept.rs` and its neighbours (one file a station), `sqlite/readers.rs` (queries),
//! `rows` (how values become columns).

mod rows;
pub mod sqlite;

pub use sqlite::{OpenError, Options, SqliteStore};
