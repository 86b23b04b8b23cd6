//! What everything behind a port must pass: each sentence of a contract is a test here, driven by
//! the tests of each implementation.

pub mod store;
