//! The SQLite store against the suite that every store runs, against the model, and against what
//! happens to files.

mod sqlite;

use ports::store::Store;
use store::{Options, SqliteStore};

fn with_store(case: fn(&dyn Store)) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path, Options::default()).expect("a new database");
    case(&store);
}

ports::store_conformance!(with_store);
