//! The engine's stories: the real line in made-up time, on the store in memory, with providers
//! that do as they are told.

#![expect(
    clippy::unwrap_used,
    reason = "the world is test code, outside of test functions"
)]

mod stories;
mod world;
