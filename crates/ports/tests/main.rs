//! The in-memory store against the suite that every store runs.

use ports::memory::MemoryStore;
use ports::store::Store;

fn with_store(case: fn(&dyn Store)) {
    case(&MemoryStore::default());
}

ports::store_conformance!(with_store);
